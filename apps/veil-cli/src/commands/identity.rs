//! `veilcast identity`: makes and shows a person's key.

use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;
use veil_seal::SealError;
use veil_seal::file::Passphrase;
use veil_seal::identity::Identity;
use zeroize::Zeroizing;

use crate::args::sealed::{IdentityCommand, OneIdentityArgs, OutputArgs};
use crate::commands::seal::begin;
use crate::error::CliError;
use crate::output::{Format, note};
use crate::sealed::ask::Asker;
use crate::sealed::identities::{self, IdentityFile};
use crate::sealed::refusal::{refused, unwritable};
use crate::sealed::rng;
use crate::sealed::target::{Access, Target};

pub(crate) fn run(
    command: &IdentityCommand,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    match command {
        IdentityCommand::New { output, passphrase } => {
            let target = new_target(output.as_deref())?;
            let passphrase = passphrase.ask("the identity")?;
            new(target, passphrase.as_ref(), format, now)
        }
        IdentityCommand::Show(args) => show(args, format),
        IdentityCommand::Recipient(args) => {
            let (_, identity) = open(args)?;
            let recipient = identity.recipient().to_string();
            format.answer(&json!({ "recipient": recipient }), || recipient.clone());
            Ok(())
        }
    }
}

fn new_target(path: Option<&Path>) -> Result<Target, CliError> {
    let Some(path) = path else {
        let path = identities::default_path()?;
        if let Some(folder) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| unwritable(&error, &folder.display().to_string()))?;
        }
        return keep(&path);
    };
    if path == Path::new("-") {
        let output = Some(PathBuf::from("-"));
        return Target::open(&OutputArgs { output, force: false }, Access::Owner);
    }
    keep(path)
}

/// Begins a file that overwrites nothing.
fn keep(path: &Path) -> Result<Target, CliError> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Err(CliError::new(format!("there is an identity already: {}", path.display()))
            .hint("`veilcast identity show` tells about it; -o FILE makes another one elsewhere"));
    }
    Target::file(path, false, Access::Owner)
}

fn new(
    target: Target,
    passphrase: Option<&Passphrase>,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let identity = Identity::random(&mut rng());
    let recipient = identity.recipient();
    let head = format!("# created: {now:.0}\n# recipient: {recipient}\n");
    let text = Zeroizing::new([head.as_bytes(), identity.to_text().as_bytes(), b"\n"].concat());
    let bytes = match passphrase {
        Some(passphrase) => lock(&text, passphrase)?,
        None => text,
    };
    let (name, is_stream) = (target.name.clone(), target.is_stream());
    let written = target.writer().and_then(|mut file| file.write_all(&bytes));
    written.map_err(|error| unwritable(&error, &name))?;
    target.publish_whole()?;
    let id = recipient.key_id().to_string();
    if is_stream {
        note(&format!("key id: {id}"));
        return Ok(());
    }
    let answer = json!({
        "file": name,
        "key_id": id,
        "locked": passphrase.is_some(),
        "recipient": recipient.to_string(),
    });
    format.answer(&answer, || {
        format!(
            "{name}: a new identity, key id {id}\n\
             Keep a copy in a safe place: nobody can make it again.\n\
             `veilcast identity recipient` prints what others seal to."
        )
    });
    Ok(())
}

/// An identity file that is sealed with a passphrase.
fn lock(text: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let (front, sealer) = begin(&[], Some(passphrase))?;
    let header = sealer.header();
    let mut body = Zeroizing::new(text.to_vec());
    body.extend_from_slice(&[0; veil_seal::chunks::TAG_BYTES]);
    let finished = sealer.finish(&mut body);
    let finished = finished.map_err(|error: SealError| refused(error, "the identity"))?;
    debug_assert_eq!(finished.plaintext_bytes(), text.len() as u64);
    Ok(Zeroizing::new([front.as_slice(), &header, &body].concat()))
}

/// Opens an identity; its file and whether it is locked come with it.
fn open(args: &OneIdentityArgs) -> Result<((PathBuf, bool), Identity), CliError> {
    let (path, file) = identities::read_one(args.file.as_deref())?;
    let locked = matches!(file, IdentityFile::Locked(_));
    let identity = file.unlock(&Asker::new(args.passphrase_file.as_deref()))?;
    Ok(((path, locked), identity))
}

fn show(args: &OneIdentityArgs, format: Format) -> Result<(), CliError> {
    let ((path, locked), identity) = open(args)?;
    let recipient = identity.recipient();
    let (path, id) = (path.display().to_string(), recipient.key_id().to_string());
    let recipient = recipient.to_string();
    let answer = json!({ "file": path, "key_id": id, "locked": locked, "recipient": recipient });
    format.answer(&answer, || {
        let lock = if locked { "locked with a passphrase" } else { "in clear, for you alone" };
        format!("file       {path} ({lock})\nkey id     {id}\nrecipient  {recipient}")
    });
    Ok(())
}
