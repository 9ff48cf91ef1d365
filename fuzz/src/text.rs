//! Text forms: identities, recipients, links and ids. What is read has one text, and that is it.

use veil_presign::{CredentialSource, Profile, StoreUrl};
use veil_seal::id::{GrantId, ObjectName};
use veil_seal::identity::{Identity, Recipient};
use veil_seal::link::LinkSecret;

use crate::vectors::{cases, text};

const ENVELOPES: &str = include_str!("../../vectors/envelope.json");
const LINKS: &str = include_str!("../../vectors/link.json");

/// Reads an identity file: the one line in it that is neither empty nor a comment is the identity's text,
/// in either case.
pub fn run_identity(bytes: &[u8]) {
    let Ok(file) = str::from_utf8(bytes) else { return };
    let Ok(identity) = Identity::parse(file) else { return };
    let again = identity.to_text();
    let written = file.lines().map(str::trim).filter(|line| line.eq_ignore_ascii_case(&again));
    assert_eq!(written.count(), 1);
    assert_eq!(Identity::parse(&again).unwrap().recipient(), identity.recipient());
}

/// An identity by itself and one in a file.
#[must_use]
pub fn identity_seeds() -> Vec<Vec<u8>> {
    let case = &cases(ENVELOPES)[0];
    let line = text(case, "identity");
    let file = format!("# created: 2026-11-20\r\n\n{line}\n");
    vec![line.into(), file.into_bytes()]
}

/// Reads a recipient.
pub fn run_recipient(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(recipient) = text.parse::<Recipient>() else { return };
    assert_eq!(recipient.to_string(), text.trim().to_ascii_lowercase());
    assert_eq!(Recipient::from_bytes(recipient.as_bytes()), Ok(recipient));
}

/// A recipient in both cases.
#[must_use]
pub fn recipient_seeds() -> Vec<Vec<u8>> {
    let case = &cases(ENVELOPES)[0];
    let recipient = text(case, "recipient");
    vec![recipient.into(), recipient.to_ascii_uppercase().into_bytes()]
}

/// Reads a link's fragment.
pub fn run_link(bytes: &[u8]) {
    let Ok(fragment) = str::from_utf8(bytes) else { return };
    let Ok(secret) = LinkSecret::parse(fragment) else { return };
    let link = secret.to_link("https://host/", GrantId([0; 16]));
    assert_eq!(link.split_once('#').map(|(_, secret)| secret), Some(fragment));
}

/// The fragment of the vector.
#[must_use]
pub fn link_seeds() -> Vec<Vec<u8>> {
    cases(LINKS).iter().map(|case| text(case, "fragment").into()).collect()
}

/// Reads an id.
pub fn run_id(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(id) = text.parse::<ObjectName>() {
        assert_eq!(id.to_string(), text);
    }
}

/// An id.
#[must_use]
pub fn id_seeds() -> Vec<Vec<u8>> {
    vec!["0123456789abcdef0123456789abcdef".into()]
}

/// Reads a store's URL.
pub fn run_store_url(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(url) = StoreUrl::parse(text) else { return };
    assert_eq!(StoreUrl::parse(&url.to_string()), Ok(url.clone()));
    if let StoreUrl::S3(place) = url {
        let address = place.address();
        assert!(address.folder.starts_with('/') && address.folder.ends_with('/'));
        assert!(!address.folder.contains("//") && !address.folder.contains("/../"));
    }
}

/// A store of each kind.
#[must_use]
pub fn store_url_seeds() -> Vec<Vec<u8>> {
    let texts = [
        "s3://videos/v?endpoint=http://127.0.0.1:3900&region=garage&style=path&profile=a%20b",
        "s3://videos",
        "file:///videos/a%20b",
        "videos",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// Reads one file as both of AWS's shared files.
pub fn run_profile(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for name in [None, Some("work")] {
        let Ok(profile) = Profile::read(text, text, name) else { continue };
        if let Some(CredentialSource::Keys(keys)) = profile.credential {
            assert!(text.contains(keys.access_key_id()) && text.contains(keys.secret_access_key()));
        }
    }
}

/// Profiles with and without a credential.
#[must_use]
pub fn profile_seeds() -> Vec<Vec<u8>> {
    let text = "[default]\naws_access_key_id = AKIA # comment\naws_secret_access_key=a/b\n\
                s3 =\n  nested = 1\n[profile work]\nregion = auto\nsso_session = a\n";
    vec![text.into()]
}
