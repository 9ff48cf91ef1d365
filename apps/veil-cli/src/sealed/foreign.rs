//! Other people's formats: what they are, and what to do with them here.
//!
//! Looks at the beginning of a text or file, and never repeats a secret.

use crate::error::CliError;

/// How a file begins, what it is then, and what to do.
const FILES: [(&[u8], &str, &str); 6] = [
    (b"age-encryption.org/", "an age file", "`age --decrypt` opens it"),
    (b"-----BEGIN AGE ENCR", "an age file", "`age --decrypt` opens it"),
    (b"-----BEGIN PGP MESS", "an OpenPGP message", "`gpg --decrypt` opens it"),
    (b"Salted__", "a file of `openssl enc`", "`openssl enc -d` opens it"),
    (b"-----BEGIN ", "a key or certificate in PEM", "name the sealed file itself"),
    (b"AGE-SECRET-KEY-", "an identity", "give it with -i, and name the sealed file itself"),
];

/// Says that a file which begins with `start` is no sealed file, and what it is.
pub(crate) fn not_sealed(start: &[u8], name: &str) -> CliError {
    if start.is_empty() {
        return CliError::new(format!("{name} is empty"))
            .hint("a sealed file is never empty: copy or download it again");
    }
    match FILES.iter().find(|(magic, ..)| start.starts_with(magic)) {
        Some((_, what, hint)) => {
            CliError::new(format!("{name} is {what}, not a sealed file")).hint(*hint)
        }
        None if is_of_a_title(name) => CliError::new(format!(
            "{name} is a part of a title, not a sealed file"
        ))
        .hint("`veilcast list` tells about titles; a title's parts are opened by who may watch it"),
        None => CliError::new(format!("{name} is not a sealed file"))
            .hint("`veilcast seal` makes sealed files; this is something else, or was damaged"),
    }
}

/// Whether a path or URL is that of a title's object in a bucket (`docs/format/bucket.md`): a segment, a whole rendition.
fn is_of_a_title(name: &str) -> bool {
    let is_id = |text: &str| {
        text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut parts = name.split('?').next().unwrap_or(name).rsplit('/');
    let ids = [parts.next(), parts.next()].into_iter().flatten().filter(|part| is_id(part)).count();
    ids == 2 && parts.next() == Some("t")
}

/// Says why a line is no recipient.
pub(crate) fn not_a_recipient(line: &str) -> CliError {
    let starts = |start: &str| {
        line.len() >= start.len()
            && line[..].is_char_boundary(start.len())
            && line[..start.len()].eq_ignore_ascii_case(start)
    };
    let refused = |what: &str, hint: &str| CliError::new(what).hint(hint);
    if starts("AGE-SECRET-KEY-") || starts("AGE-PLUGIN-") {
        return refused(
            "this is an identity, which is secret, not a recipient",
            "`veilcast identity recipient FILE` prints its recipient",
        );
    }
    if starts("age1pq1") {
        return refused("the recipient is damaged", "copy all of it: it is 1,959 characters long");
    }
    if starts("age1") {
        return refused(
            "this recipient is not post-quantum",
            "a post-quantum recipient begins with age1pq1; `veilcast identity new` or `age-keygen -pq` makes one",
        );
    }
    if starts("ssh-") || starts("ecdsa-") || starts("sk-ssh-") {
        return refused(
            "SSH keys can't be recipients: they are not post-quantum",
            "let the recipient run `veilcast identity new`",
        );
    }
    if starts("-----BEGIN PGP") {
        return refused(
            "OpenPGP keys can't be recipients: they are not post-quantum",
            "let the recipient run `veilcast identity new`",
        );
    }
    refused("this is not a recipient", "a recipient looks like age1pq1…")
}

/// Says why a text is no identity.
pub(crate) fn not_an_identity(text: &str, name: &str) -> CliError {
    let has = |start: &str| text.lines().any(|line| line.trim_start().starts_with(start));
    let refused = |what: &str, hint: &str| CliError::new(format!("{name} {what}")).hint(hint);
    let new = "`veilcast identity new` or `age-keygen -pq` makes one";
    if has("AGE-SECRET-KEY-PQ-1") {
        return refused(
            "does not hold one whole identity",
            "it may hold one; give -i again for others",
        );
    }
    if has("AGE-SECRET-KEY-1") {
        return refused("holds an identity that is not post-quantum", new);
    }
    if has("AGE-PLUGIN-") {
        return refused("holds an identity of an age plugin, which works in age alone", new);
    }
    if has("age-encryption.org/") || has("-----BEGIN AGE ENCRYPTED") {
        return refused(
            "is an identity that age has locked",
            "unlock it with `age --decrypt`, and lock it again with `veilcast seal --passphrase`",
        );
    }
    if has("-----BEGIN") {
        return refused("is an SSH or OpenPGP key, which opens no sealed file", new);
    }
    if has("age1") {
        return refused("holds a recipient, not an identity", "the identity is the secret file");
    }
    refused("is not an identity file", new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &CliError, message: &str, hint: &str) {
        assert!(error.message.contains(message), "{error:?}");
        assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{error:?}");
    }

    #[test]
    fn files_of_others_are_named() {
        let file = |start: &[u8]| not_sealed(start, "x.bin");
        check(&file(b""), "x.bin is empty", "download it again");
        check(&file(b"age-encryption.org/v1\n-> "), "an age file", "age --decrypt");
        check(&file(b"-----BEGIN AGE ENCRYPTED FILE-----"), "an age file", "age --decrypt");
        check(&file(b"-----BEGIN PGP MESSAGE-----"), "OpenPGP", "gpg --decrypt");
        check(&file(b"Salted__12345678"), "openssl", "openssl enc -d");
        check(&file(b"-----BEGIN CERTIFICATE-----"), "PEM", "the sealed file itself");
        check(&file(b"AGE-SECRET-KEY-PQ-1ABC"), "an identity", "with -i");
        check(&file(b"\x89PNG"), "not a sealed file", "veilcast seal");
    }

    #[test]
    fn recipients_of_others_are_named() {
        let line = |text: &str| not_a_recipient(text);
        check(
            &line("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"),
            "not post-quantum",
            "age1pq1",
        );
        check(&line("age1pq1qqq"), "damaged", "1,959");
        check(&line("ssh-ed25519 AAAA me"), "SSH", "identity new");
        check(&line("ecdsa-sha2-nistp256 AAAA"), "SSH", "identity new");
        check(&line("-----BEGIN PGP PUBLIC KEY BLOCK-----"), "OpenPGP", "identity new");
        check(&line("alice@example.org"), "not a recipient", "age1pq1");
        check(&line("é"), "not a recipient", "age1pq1");
    }

    #[test]
    fn an_identity_in_the_place_of_a_recipient_is_not_repeated() {
        let secret = "AGE-SECRET-KEY-PQ-1SECRETSECRET";
        for text in [secret, &secret.to_lowercase()] {
            let error = not_a_recipient(text);
            check(&error, "secret", "identity recipient");
            assert!(!format!("{error:?}").to_lowercase().contains("secretsecret"));
        }
    }

    #[test]
    fn identities_of_others_are_named() {
        let text = |text: &str| not_an_identity(text, "key.txt");
        check(&text("# mine\nAGE-SECRET-KEY-1ABC"), "not post-quantum", "age-keygen -pq");
        check(&text("AGE-SECRET-KEY-PQ-1ABC"), "one whole identity", "-i again");
        check(&text("AGE-PLUGIN-YUBIKEY-1ABC"), "plugin", "identity new");
        check(&text("age-encryption.org/v1\n"), "age has locked", "age --decrypt");
        check(&text("-----BEGIN OPENSSH PRIVATE KEY-----"), "SSH", "identity new");
        check(&text("-----BEGIN PGP PRIVATE KEY BLOCK-----"), "OpenPGP", "identity new");
        check(&text("age1pq1abc"), "a recipient", "secret file");
        check(&text("hello"), "not an identity file", "identity new");
    }
}
