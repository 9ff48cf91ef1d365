//! What the user has set for stores: AWS's variables and shared files, read where they are needed.
//!
//! The order of the chain is `veil_presign`'s; this file reads. Secrets go into the client of the store and nowhere else.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use veil_presign::{Settings, StoreUrl};
use veil_studio::bucket::open::Access;
use veil_studio::place::{OWN, Place};
use veil_studio::{Studio, StudioError};
use zeroize::Zeroizing;

/// The longest shared file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// A request isn't signed anew when it is tried again, and a signature holds for five minutes.
const MAX_PATIENCE: SignedDuration = SignedDuration::from_mins(4);

/// Finds credentials as AWS's own tools do.
pub(crate) fn access(patience: Duration) -> Access {
    let find = |place: &veil_presign::S3Place| {
        let credentials_file = shared_file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let config_file = shared_file("AWS_CONFIG_FILE", "config");
        let settings = Settings {
            variable: &|name| std::env::var(name).ok(),
            credentials_file: &credentials_file,
            config_file: &config_file,
        };
        settings.find(place.profile())
    };
    Access::new(find, patience)
}

/// The place that a person's text names; a folder may be relative to where the person is.
pub(crate) fn place(studio: &Studio, text: &str) -> Result<Place, StudioError> {
    if text == OWN {
        return Ok(Place::Own);
    }
    match StoreUrl::parse(text) {
        Ok(StoreUrl::Folder(folder)) => {
            let absolute = std::path::absolute(&folder).unwrap_or_else(|_| folder.into());
            studio.place(&absolute.to_string_lossy())
        }
        _ => studio.place(text),
    }
}

/// A length of time from nothing to four minutes.
pub(crate) fn patience(text: &str) -> Result<Duration, String> {
    let length: SignedDuration =
        text.parse().map_err(|_| "a time looks like 30s or 3m".to_owned())?;
    let short = (SignedDuration::ZERO..=MAX_PATIENCE).contains(&length);
    let length = Duration::try_from(length).ok().filter(|_| short);
    length.ok_or_else(|| "a request is signed once: 4m at most".to_owned())
}

/// The text of one of AWS's shared files; empty where there is none.
fn shared_file(variable: &str, name: &str) -> Zeroizing<String> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = named.or_else(|| etcetera::home_dir().ok().map(|home| home.join(".aws").join(name)));
    let mut text = Zeroizing::new(String::new());
    let read = path.and_then(|path| File::open(path).ok());
    if let Some(file) = read
        && file.take(MAX_FILE_BYTES).read_to_string(&mut text).is_err()
    {
        text.clear();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_a_time_that_a_signature_outlives() {
        assert_eq!(patience("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(patience("4m"), Ok(Duration::from_secs(240)));
        assert_eq!(patience("0s"), Ok(Duration::ZERO));
        for text in ["", "soon", "5m", "-1s"] {
            assert!(patience(text).is_err(), "{text}");
        }
    }
}
