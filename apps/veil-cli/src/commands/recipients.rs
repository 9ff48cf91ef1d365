//! `veilcast recipients`: who can open a sealed file, changed in place.

use std::path::Path;

use serde_json::json;
use veil_seal::file::{Cost, Unlocked};
use veil_seal::id::KeyId;

use crate::args::sealed::{NewPassphraseArgs, RecipientArgs, RecipientsCommand, UnlockArgs};
use crate::error::CliError;
use crate::output::{Format, openers};
use crate::sealed::change::Changeable;
use crate::sealed::recipients;
use crate::sealed::refusal::refused;
use crate::sealed::rng;
use crate::sealed::source::Source;
use crate::sealed::unlock::unlock;

/// The fewest digits that name a key id.
const MIN_ID_DIGITS: usize = 8;

pub(crate) fn run(command: &RecipientsCommand, format: Format) -> Result<(), CliError> {
    match command {
        RecipientsCommand::List { file, unlock } => list(file, unlock, format),
        RecipientsCommand::Add { file, recipients, passphrase, new_passphrase_file, unlock } => {
            let passphrase = NewPassphraseArgs {
                passphrase: *passphrase,
                passphrase_file: new_passphrase_file.clone(),
            };
            add(file, recipients, &passphrase, unlock, format)
        }
        RecipientsCommand::Remove { file, recipients, passphrase, yes, unlock } => {
            let removal = Removal { recipients, passphrase: *passphrase, yes: *yes };
            remove(file, &removal, unlock, format)
        }
    }
}

fn list(file: &Path, args: &UnlockArgs, format: Format) -> Result<(), CliError> {
    let mut source = Source::open_anywhere(Some(file), "list")?;
    let front = source.front()?;
    let opened = unlock(&front, args, false, &source.name)?;
    let ids: Vec<KeyId> = opened.unlocked.recipients().collect();
    let passphrase = opened.unlocked.has_passphrase();
    let rows = ids.iter().map(|id| json!({ "key_id": id.to_string(), "own": opened.is_own(*id) }));
    let rows: Vec<_> = rows.collect();
    format.answer(&json!({ "recipients": rows, "passphrase": passphrase }), || {
        let own = |id| if opened.is_own(id) { "  (you)" } else { "" };
        let lines = ids.iter().map(|id| format!("{id}{}", own(*id)));
        lines.chain(passphrase.then(|| "a passphrase".to_owned())).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn add(
    path: &Path,
    recipients: &RecipientArgs,
    passphrase: &NewPassphraseArgs,
    args: &UnlockArgs,
    format: Format,
) -> Result<(), CliError> {
    let recipients = recipients.read()?;
    if recipients.is_empty() && !passphrase.is_wanted() {
        return Err(CliError::new("there is nobody to add")
            .hint("name a recipient with -r, or set a --passphrase"));
    }
    let file = Changeable::open(path)?;
    let mut opened = unlock(&file.front()?, args, false, &file.name)?;
    let passphrase = passphrase.ask(&file.name)?;
    let (keyring, mut rng) = (&mut opened.unlocked, rng());
    let refused = |error| refused(error, &file.name);
    let mut added = Vec::new();
    for recipient in &recipients {
        if keyring.add(recipient, &mut rng).map_err(refused)? {
            added.push(recipient.key_id());
        }
    }
    if let Some(passphrase) = &passphrase {
        let cost = Cost::DEFAULT;
        keyring.set_passphrase(Some((passphrase, cost)), &mut rng).map_err(refused)?;
    }
    commit(&file, opened.unlocked, "added", &added, format)
}

/// Whom to remove.
struct Removal<'a> {
    recipients: &'a [String],
    passphrase: bool,
    yes: bool,
}

fn remove(
    path: &Path,
    removal: &Removal<'_>,
    args: &UnlockArgs,
    format: Format,
) -> Result<(), CliError> {
    let file = Changeable::open(path)?;
    let mut opened = unlock(&file.front()?, args, false, &file.name)?;
    let ids: Vec<KeyId> = opened.unlocked.recipients().collect();
    let mut removed = Vec::new();
    for text in removal.recipients {
        removed.extend(named(text, &ids, &file.name)?);
    }
    removed.sort_unstable();
    removed.dedup();
    if removal.passphrase && !opened.unlocked.has_passphrase() {
        return Err(CliError::new(format!("{} has no passphrase", file.name)));
    }
    let stays = ids.iter().any(|id| opened.is_own(*id) && !removed.contains(id))
        || (opened.passphrase.is_some() && !removal.passphrase);
    let last =
        removed.len() == ids.len() && (removal.passphrase || !opened.unlocked.has_passphrase());
    if last {
        return Err(CliError::new("nobody could open the file any more")
            .hint("add somebody else first, or delete the file"));
    }
    if !stays && !removal.yes {
        return Err(CliError::new("you could not open the file any more yourself")
            .hint("--yes removes you all the same"));
    }
    for id in &removed {
        opened.unlocked.remove(*id);
    }
    if removal.passphrase {
        let wiped = opened.unlocked.set_passphrase(None, &mut rng());
        wiped.map_err(|error| refused(error, &file.name))?;
    }
    commit(&file, opened.unlocked, "removed", &removed, format)
}

/// The key ids that a recipient, a file with recipients or the digits of a key id name.
fn named(text: &str, ids: &[KeyId], name: &str) -> Result<Vec<KeyId>, CliError> {
    let hex = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hex || Path::new(text).exists() {
        let named: Vec<KeyId> =
            recipients::read(text)?.iter().map(|recipient| recipient.key_id()).collect();
        return match named.iter().find(|id| !ids.contains(id)) {
            Some(id) => Err(nobody(&id.to_string(), name)),
            None => Ok(named),
        };
    }
    beginning_with(&text.to_ascii_lowercase(), ids, name).map(|id| vec![id])
}

/// The one key id that begins with these digits.
fn beginning_with(digits: &str, ids: &[KeyId], name: &str) -> Result<KeyId, CliError> {
    if digits.len() < MIN_ID_DIGITS {
        return Err(CliError::new(format!("{digits} is too short for a key id"))
            .hint(format!("give at least its first {MIN_ID_DIGITS} digits")));
    }
    let mut found = ids.iter().filter(|id| id.to_string().starts_with(digits));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(*id),
        (None, _) => Err(nobody(digits, name)),
        _ => Err(CliError::new(format!("{digits} names several recipients of {name}"))
            .hint("give more digits")),
    }
}

fn nobody(id: &str, name: &str) -> CliError {
    CliError::new(format!("{id} is no recipient of {name}"))
        .hint("`veilcast recipients list` prints those that are")
}

/// Brings the changed keyring into the file, and says what it is now.
fn commit(
    file: &Changeable,
    unlocked: Unlocked,
    what: &'static str,
    ids: &[KeyId],
    format: Format,
) -> Result<(), CliError> {
    let (count, passphrase) = (unlocked.recipients().len(), unlocked.has_passphrase());
    let body = unlocked.body_offset();
    let change = unlocked.change(&mut rng()).map_err(|error| refused(error, &file.name))?;
    file.apply(change, body)?;
    let changed: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let answer = json!({
        "file": file.name,
        what: changed,
        "recipients": count,
        "passphrase": passphrase,
    });
    format.answer(&answer, || {
        format!("{}: {what} {}, now for {}", file.name, ids.len(), openers(count, passphrase))
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_name_one_recipient_or_none() {
        let (one, two) =
            (KeyId([0x11; 16]), KeyId([[0x11; 8], [0x22; 8]].concat().try_into().unwrap()));
        let found = |digits: &str| {
            beginning_with(digits, &[one, two], "x.veil").map_err(|error| error.message)
        };
        assert_eq!(found(&one.to_string()), Ok(one));
        assert_eq!(found("11111111111111112"), Ok(two));
        assert_eq!(found("11111111"), Err("11111111 names several recipients of x.veil".into()));
        assert_eq!(found("1111111"), Err("1111111 is too short for a key id".into()));
        assert_eq!(found("22222222"), Err("22222222 is no recipient of x.veil".into()));
    }
}
