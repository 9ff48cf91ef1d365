//! `veilcast inspect`: what anybody can see of a sealed file, and with a key, what is true of it.

use std::io::{Read, Seek};

use serde_json::{Value, json};
use veil_seal::SealError;
use veil_seal::chunks::plaintext_len;
use veil_seal::file::{BODY_CONTEXT, Cost, Header, Summary};
use veil_seal::id::KeyId;
use veil_seal::reader::Reader;

use crate::args::sealed::InspectArgs;
use crate::error::CliError;
use crate::flow::Input;
use crate::output::{self, Format};
use crate::sealed::refusal::{refused, unreadable};
use crate::sealed::remote::{Remote, Url};
use crate::sealed::source::Source;
use crate::sealed::unlock::unlock;

/// What there is to tell.
struct Report {
    name: String,
    summary: Summary,
    sealed_bytes: u64,
    content_bytes: u64,
    /// With a key: who can open the file, as its keyring vouches for it.
    key_ids: Option<Vec<KeyId>>,
}

pub(crate) fn run(args: &InspectArgs, format: Format) -> Result<(), CliError> {
    let report = match Url::of_path(&args.file) {
        Some(url) => {
            let mut remote = Remote::open(url)?;
            let (front, name, length) = (remote.front()?, remote.name(), remote.length());
            report(args, &front, remote, length, name)?
        }
        None => {
            let mut source = Source::open(Some(&args.file), "inspect")?;
            let (front, name) = (source.front()?, source.name.clone());
            let Input::File { file, offset, length } = source.into_input() else {
                return Err(CliError::new(format!("{name} has no length"))
                    .hint("`veilcast inspect` takes a file or a URL"));
            };
            report(args, &front, file, offset + length, name)?
        }
    };
    format.answer(&report.json(), || report.text());
    Ok(())
}

fn report(
    args: &InspectArgs,
    front: &[u8],
    file: impl Read + Seek,
    sealed_bytes: u64,
    name: String,
) -> Result<Report, CliError> {
    let summary = Header::parse(front).map_err(|error| refused(error, &name))?.summary();
    let body = summary.body_offset;
    let content_bytes = sealed_bytes.checked_sub(body).and_then(plaintext_len);
    let content_bytes = content_bytes.ok_or_else(|| refused(SealError::Truncated, &name))?;
    let has_key = !args.unlock.identities.is_empty() || args.unlock.passphrase_file.is_some();
    let mut key_ids = None;
    if has_key || args.passphrase {
        let opened = unlock(front, &args.unlock, args.passphrase, &name)?;
        let key = opened.unlocked.key().body_key();
        Reader::new(file, body, &key, BODY_CONTEXT).map_err(|error| unreadable(&error, &name))?;
        key_ids = Some(opened.unlocked.recipients().collect());
    }
    Ok(Report { name, summary, sealed_bytes, content_bytes, key_ids })
}

impl Report {
    fn overhead(&self) -> (u64, Option<f64>) {
        let bytes = self.sealed_bytes - self.content_bytes;
        let percent = 100.0 * bytes as f64 / self.content_bytes as f64;
        (bytes, Some(percent).filter(|percent| percent.is_finite()))
    }

    fn json(&self) -> Value {
        let (overhead_bytes, overhead_percent) = self.overhead();
        let cost = self.summary.passphrase.map(|Cost { memory_kib, passes, lanes }| {
            json!({ "kdf": "argon2id", "memory_kib": memory_kib, "passes": passes, "lanes": lanes })
        });
        let ids = self.key_ids.as_ref();
        json!({
            "file": self.name,
            "format": "veilcast/file/v1",
            "recipients": self.summary.recipients,
            "passphrase": cost,
            "keyring_bytes": self.summary.body_offset,
            "keyring_sequence": self.summary.sequence,
            "sealed_bytes": self.sealed_bytes,
            "content_bytes": self.content_bytes,
            "overhead_bytes": overhead_bytes,
            "overhead_percent": overhead_percent,
            "verified": ids.is_some(),
            "key_ids": ids.map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
        })
    }

    fn text(&self) -> String {
        let (overhead, percent) = self.overhead();
        let percent = percent.map(|percent| format!(", {percent:.2} %")).unwrap_or_default();
        let size = |bytes: u64| {
            let short = output::bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
            if bytes < 1000 { short } else { format!("{short} ({bytes} bytes)") }
        };
        let passphrase = match self.summary.passphrase {
            Some(Cost { memory_kib, passes, lanes }) => {
                format!("yes (Argon2id, {} MiB, {passes} passes, {lanes} lanes)", memory_kib / 1024)
            }
            None => "no".to_owned(),
        };
        let mut lines = vec![
            format!("{}: a sealed file (veilcast/file/v1)", self.name),
            format!("  recipients  {}", self.summary.recipients),
            format!("  passphrase  {passphrase}"),
            format!("  content     {}", size(self.content_bytes)),
            format!("  sealed      {}", size(self.sealed_bytes)),
            format!("  overhead    {overhead} bytes{percent}"),
            format!(
                "  keyring     {} bytes, version {}",
                self.summary.body_offset, self.summary.sequence
            ),
        ];
        match &self.key_ids {
            None => lines.push(
                "  verified    no: anybody could have written this; -i IDENTITY checks it"
                    .to_owned(),
            ),
            Some(ids) => {
                lines.push("  verified    yes: keyring and length are authentic".to_owned());
                lines.extend(ids.iter().map(|id| format!("  key id      {id}")));
            }
        }
        lines.join("\n")
    }
}
