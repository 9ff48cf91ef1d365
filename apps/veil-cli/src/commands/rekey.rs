//! `veilcast rekey`: encrypts a sealed file anew, chunk by chunk, without plaintext on the disk.

use serde_json::json;
use veil_seal::file::{BODY_CONTEXT, Passphrase};
use veil_seal::id::KeyId;
use veil_seal::identity::Recipient;
use veil_seal::reader::Reader;

use crate::args::sealed::{NewPassphraseArgs, RekeyArgs};
use crate::commands::seal::begin;
use crate::error::CliError;
use crate::flow::{self, Input, Output};
use crate::output::{Format, openers};
use crate::progress;
use crate::sealed::change::Changeable;
use crate::sealed::refusal::{stopped, unreadable, unwritable};
use crate::sealed::unlock::{Opened, unlock};

pub(crate) fn run(args: &RekeyArgs, format: Format) -> Result<(), CliError> {
    let named = args.recipients.read()?;
    let file = Changeable::open(&args.file)?;
    let opened = unlock(&file.front()?, &args.unlock, false, &file.name)?;
    let recipients = with_own(named, &opened);
    let passphrase = NewPassphraseArgs {
        passphrase: args.passphrase,
        passphrase_file: args.new_passphrase_file.clone(),
    };
    let kept = opened.passphrase.as_ref().filter(|_| !args.drop_others);
    let dropped = dropped(&opened, &recipients, passphrase.is_wanted() || kept.is_some());
    if !dropped.is_empty() && !args.drop_others {
        return Err(others(&dropped, &file.name));
    }
    let chosen = passphrase.ask(&file.name)?;
    let passphrase = chosen.as_ref().or(kept);
    let bytes = write(&file, &opened, &recipients, passphrase)?;
    let answer = json!({
        "file": file.name,
        "recipients": recipients.len(),
        "passphrase": passphrase.is_some(),
        "dropped": dropped,
        "content_bytes": bytes,
    });
    format.answer(&answer, || {
        let now = openers(recipients.len(), passphrase.is_some());
        format!("{}: a new key, now for {now}", file.name)
    });
    Ok(())
}

/// Those that are named, and whoever runs the command if they are a recipient.
fn with_own(mut recipients: Vec<Recipient>, opened: &Opened) -> Vec<Recipient> {
    let ids: Vec<KeyId> = opened.unlocked.recipients().collect();
    for own in &opened.own {
        if ids.contains(&own.key_id()) && !recipients.contains(own) {
            recipients.push(own.clone());
        }
    }
    recipients
}

/// Who opens the file now, and would not any more.
fn dropped(opened: &Opened, recipients: &[Recipient], passphrase: bool) -> Vec<String> {
    let kept: Vec<KeyId> = recipients.iter().map(Recipient::key_id).collect();
    let ids = opened.unlocked.recipients().filter(|id| !kept.contains(id));
    let mut dropped: Vec<String> = ids.map(|id| id.to_string()).collect();
    if opened.unlocked.has_passphrase() && !passphrase {
        dropped.push("the passphrase".to_owned());
    }
    dropped
}

fn others(dropped: &[String], name: &str) -> CliError {
    CliError::new(format!("these open {name} and are not named: {}", dropped.join(", ")))
        .hint("name their recipients with -r (and a --passphrase), or drop them with --drop-others")
}

/// Writes the file anew beside itself; returns the bytes of its content.
fn write(
    file: &Changeable,
    opened: &Opened,
    recipients: &[Recipient],
    passphrase: Option<&Passphrase>,
) -> Result<u64, CliError> {
    let name = &file.name;
    let (key, body) = (opened.unlocked.key().body_key(), opened.unlocked.body_offset());
    let reader = Reader::new(file.handle()?, body, &key, BODY_CONTEXT);
    let reader = reader.map_err(|error| unreadable(&error, name))?;
    let length = reader.length();
    let (front, sealer) = begin(recipients, passphrase)?;
    let beside = file.replacement()?;
    let unwritable = |error| unwritable(&error, name);
    let mut out = beside.file().try_clone().map_err(unwritable)?;
    std::io::Write::write_all(&mut out, &front).map_err(unwritable)?;
    let output = Output::File { file: out, offset: front.len() as u64 };
    let sealing = progress::moving("rekeying", Some(length), |moved| {
        flow::seal(Input::Stream(Box::new(reader)), output, sealer, moved)
    });
    let finished = sealing.map_err(|error| stopped(error, name, name))?;
    if finished.plaintext_bytes() != length {
        return Err(stopped(flow::FlowError::Changed, name, name));
    }
    beside.publish().map_err(unwritable)?;
    Ok(length)
}
