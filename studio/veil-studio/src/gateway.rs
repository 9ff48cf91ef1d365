//! The gateway's signing credential, which the studio makes and the gateway reads.
//!
//! It signs reads of the bucket and opens nothing: the gateway has no key. In `local` mode both ends
//! of it are the gateway itself.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use rand_core::Rng as _;
use std::path::PathBuf;
use zeroize::Zeroizing;

use crate::data;
use crate::keystore::os_rng;
use crate::{Studio, StudioError};

impl Studio {
    /// The gateway's credentials file; made with a fresh credential where there is none.
    ///
    /// # Errors
    /// [`StudioError::File`], or [`StudioError::FileMode`] when others may read it.
    pub fn gateway_credentials(&self) -> Result<PathBuf, StudioError> {
        let path = self.data().gateway_credentials();
        if data::read_secret(&path)?.is_none() {
            let mut bytes = Zeroizing::new([0; 40]);
            os_rng().fill_bytes(&mut *bytes);
            let (id, secret) = bytes.split_at(10);
            let id: String = id.iter().map(|byte| format!("{byte:02X}")).collect();
            let secret = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(secret));
            let text = Zeroizing::new(format!(
                "# Signs the gateway's URLs. Whoever has it can read the sealed objects.\n\
                 access_key_id = \"{id}\"\nsecret_access_key = \"{}\"\n",
                *secret
            ));
            data::create_secret(&path, &text)?;
        }
        Ok(path)
    }
}
