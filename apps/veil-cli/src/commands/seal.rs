//! `veilcast seal`: encrypts a file or a stream.

use serde_json::json;
use veil_seal::chunks::SALT_BYTES;
use veil_seal::file::{BODY_CONTEXT, Cost, FileKey, Passphrase, new_header};
use veil_seal::identity::Recipient;
use veil_seal::stream::Sealer;

use crate::args::sealed::{NewPassphraseArgs, SealArgs};
use crate::error::CliError;
use crate::flow;
use crate::output::Format;
use crate::progress;
use crate::sealed::ask::Asker;
use crate::sealed::refusal::{refused, stopped};
use crate::sealed::rng;
use crate::sealed::source::Source;
use crate::sealed::target::{Access, Target};

pub(crate) fn run(args: &SealArgs, format: Format) -> Result<(), CliError> {
    let recipients = args.recipients.read()?;
    if recipients.is_empty() && !args.passphrase.is_wanted() {
        return Err(refused(veil_seal::SealError::NoRecipient, "the file"));
    }
    let source = Source::open(args.input.as_deref(), "seal")?;
    let target = Target::open(&args.output, Access::Umask)?;
    target.leaves_room_for(format)?;
    let passphrase = args.passphrase.ask("the sealed file")?;
    let (front, sealer) = begin(&recipients, passphrase.as_ref())?;
    let (from, to) = (source.name.clone(), target.name.clone());
    let output = target.output(&front)?;
    let total = source.length();
    let sealed = progress::moving("sealing", total, |moved| {
        flow::seal(source.into_input(), output, sealer, moved)
    });
    let finished = sealed.map_err(|error| stopped(error, &from, &to))?;
    target.publish(&finished)?;
    if args.output.is_file() {
        let answer = json!({
            "file": to,
            "recipients": recipients.len(),
            "passphrase": passphrase.is_some(),
            "content_bytes": finished.plaintext_bytes(),
            "sealed_bytes": front.len() as u64 + finished.sealed_bytes(),
        });
        format.answer(&answer, String::new);
    }
    Ok(())
}

/// The front of a new file, under a fresh key, and what seals its body.
pub(crate) fn begin(
    recipients: &[Recipient],
    passphrase: Option<&Passphrase>,
) -> Result<(Vec<u8>, Sealer), CliError> {
    let mut rng = rng();
    let key = FileKey::random(&mut rng);
    let passphrase = passphrase.map(|passphrase| (passphrase, Cost::DEFAULT));
    let front = new_header(&key, recipients, passphrase, &mut rng);
    let front = front.map_err(|error| refused(error, "the file"))?;
    let mut salt = [0; SALT_BYTES];
    rand_core::Rng::fill_bytes(&mut rng, &mut salt);
    Ok((front, Sealer::new(&key.body_key(), BODY_CONTEXT, &salt)))
}

impl NewPassphraseArgs {
    /// Whether there shall be a passphrase.
    pub(crate) fn is_wanted(&self) -> bool {
        self.passphrase || self.passphrase_file.is_some()
    }

    /// Asks for it, if there shall be one.
    pub(crate) fn ask(&self, what: &str) -> Result<Option<Passphrase>, CliError> {
        if !self.is_wanted() {
            return Ok(None);
        }
        Asker::new(self.passphrase_file.as_deref()).new_for(what).map(Some)
    }
}
