//! The gateway's signing credential, which the studio makes and the gateway reads.
//!
//! It signs reads of the bucket and opens nothing: the gateway has no key. In `local` mode both ends
//! of it are the gateway itself. And the token with which the studio tells the running gateway that
//! a grant was revoked.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use rand_core::Rng as _;
use std::path::PathBuf;
use zeroize::Zeroizing;

use crate::catalogue::audit::Action;
use crate::data;
use crate::keystore::os_rng;
use crate::studio::note_key;
use crate::{Studio, StudioError};

impl Studio {
    /// The gateway's credentials file; made with a fresh credential where there is none.
    ///
    /// # Errors
    /// [`StudioError::File`], or [`StudioError::FileMode`] when others may read it.
    pub async fn gateway_credentials(&self) -> Result<PathBuf, StudioError> {
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
            if data::create_secret(&path, &text)? {
                note_key(self.catalogue(), Action::GatewayCredential, &id).await?;
            }
        }
        Ok(path)
    }

    /// Makes a token for the gateway's operator and returns its file. Each run has its own, so that one
    /// that reached somebody else, after the gateway stopped, opens nothing.
    ///
    /// # Errors
    /// [`StudioError::File`].
    pub fn new_gateway_admin_token(&self) -> Result<PathBuf, StudioError> {
        let path = self.data().gateway_admin_token();
        let mut bytes = Zeroizing::new([0; 32]);
        os_rng().fill_bytes(&mut *bytes);
        let token = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes));
        data::replace_secret(&path, &format!("{}\n", *token))?;
        Ok(path)
    }

    /// The token of the gateway that runs, or ran last.
    ///
    /// # Errors
    /// [`StudioError::File`], or [`StudioError::FileMode`] when others may read it.
    pub fn gateway_admin_token(&self) -> Result<Option<Zeroizing<String>>, StudioError> {
        data::read_secret(&self.data().gateway_admin_token())
    }
}
