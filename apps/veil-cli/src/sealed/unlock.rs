//! Unlocks a sealed file: which of a person's keys opens it.
//!
//! What costs a person nothing is tried first: identities in clear, then a passphrase that lies in a file, then those that have to be asked for.

use veil_seal::SealError;
use veil_seal::file::{Header, Passphrase, Unlocked};
use veil_seal::id::KeyId;
use veil_seal::identity::{Identity, Recipient};

use crate::args::sealed::UnlockArgs;
use crate::error::CliError;
use crate::sealed::ask::Asker;
use crate::sealed::identities::{self, IdentityFile};
use crate::sealed::refusal::refused;

/// A sealed file that is open to whoever runs the command.
pub(crate) struct Opened {
    /// The file's key and keyring.
    pub(crate) unlocked: Unlocked,
    /// The recipients of the identities at hand, the one that opened the file among them.
    pub(crate) own: Vec<Recipient>,
    /// The passphrase, when it opened the file.
    pub(crate) passphrase: Option<Passphrase>,
}

impl Opened {
    /// Whether this key id is of an identity at hand.
    pub(crate) fn is_own(&self, id: KeyId) -> bool {
        self.own.iter().any(|recipient| recipient.key_id() == id)
    }
}

/// Unlocks the file whose keyring is `front`. With `passphrase_only` no identity is tried.
pub(crate) fn unlock(
    front: &[u8],
    args: &UnlockArgs,
    passphrase_only: bool,
    name: &str,
) -> Result<Opened, CliError> {
    let header = Header::parse(front).map_err(|error| refused(error, name))?;
    let asker = Asker::new(args.passphrase_file.as_deref());
    let has_passphrase = header.summary().passphrase.is_some();
    let mut trial = Trial { header, name, own: Vec::new() };
    if passphrase_only {
        return if has_passphrase { trial.passphrase(&asker) } else { Err(no_passphrase(name)) };
    }
    let mut locked = Vec::new();
    let mut plain = Vec::new();
    for file in identities::read_all(&args.identities)? {
        match file {
            IdentityFile::Plain(identity) => plain.push(identity),
            IdentityFile::Locked(identity) => locked.push(identity),
        }
    }
    let none_at_hand = plain.is_empty() && locked.is_empty();
    if let Some(opened) = trial.identities(plain)? {
        return Ok(opened);
    }
    let asks_nobody = has_passphrase && asker.is_file();
    if asks_nobody {
        let opened = trial.passphrase(&asker);
        // A passphrase that is wrong here may be that of a locked identity.
        if opened.is_ok() || locked.is_empty() {
            return opened;
        }
    }
    for identity in locked {
        if let Some(opened) = trial.identities(vec![identity.unlock(&asker)?])? {
            return Ok(opened);
        }
    }
    if has_passphrase && !asks_nobody {
        return trial.passphrase(&asker);
    }
    Err(if none_at_hand { no_identity(name) } else { refused(SealError::WrongIdentity, name) })
}

fn no_passphrase(name: &str) -> CliError {
    CliError::new(format!("{name} has no passphrase")).hint("give -i the identity of a recipient")
}

fn no_identity(name: &str) -> CliError {
    CliError::new(format!("{name} opens with an identity, and there is none"))
        .hint("name the identity file with -i; `veilcast identity new` makes the first one")
}

/// A keyring on which keys are tried.
struct Trial<'a> {
    header: Header,
    name: &'a str,
    own: Vec<Recipient>,
}

impl Trial<'_> {
    /// `None` when none of them fits.
    fn identities(&mut self, identities: Vec<Identity>) -> Result<Option<Opened>, CliError> {
        self.own.extend(identities.iter().map(Identity::recipient));
        match self.header.unlock(&identities, None) {
            Ok(unlocked) => Ok(Some(self.opened(unlocked, None))),
            Err(SealError::WrongIdentity) => Ok(None),
            Err(error) => Err(refused(error, self.name)),
        }
    }

    fn passphrase(&mut self, asker: &Asker) -> Result<Opened, CliError> {
        let passphrase = asker.existing(self.name)?;
        let unlocked = self.header.unlock(&[], Some(&passphrase));
        let unlocked = unlocked.map_err(|error| refused(error, self.name))?;
        Ok(self.opened(unlocked, Some(passphrase)))
    }

    fn opened(&mut self, unlocked: Unlocked, passphrase: Option<Passphrase>) -> Opened {
        Opened { unlocked, own: std::mem::take(&mut self.own), passphrase }
    }
}
