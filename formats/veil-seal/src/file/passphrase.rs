//! The file key under a passphrase: Argon2id (RFC 9106), then Cobblestone-256, which commits to its key.

use argon2::{Algorithm, Argon2, Params, Version};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::FileKey;
use crate::SealError;
use crate::chunks::{self, SALT_BYTES};
use crate::secret::Secret;

/// The longest passphrase.
pub const MAX_PASSPHRASE_BYTES: usize = 1024;

/// Bytes of a stanza.
pub(super) const STANZA_BYTES: usize = PARAMETER_BYTES + WRAPPED_BYTES;

const ARGON2_SALT_BYTES: usize = 16;
const PARAMETER_BYTES: usize = ARGON2_SALT_BYTES + 12;
const WRAPPED_BYTES: usize = 104;
const CONTEXT: &[u8] = b"veilcast/file/passphrase/v1\0";

/// What a reader is willing to pay for a file that somebody else made.
const MOST: Cost = Cost { memory_kib: 1 << 20, passes: 16, lanes: 16 };

/// What a person types to open a file.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase as it was typed, without its line end.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when it is empty or longer than [`MAX_PASSPHRASE_BYTES`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, SealError> {
        if text.is_empty() || text.len() > MAX_PASSPHRASE_BYTES {
            return Err(SealError::Malformed { what: "the passphrase" });
        }
        Ok(Self(text))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What one guess of a passphrase costs: the parameters of Argon2id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// 256 MiB and 3 passes: about a second. RFC 9106 §4 asks for at least 64 MiB and 3 passes.
    pub const DEFAULT: Self = Self { memory_kib: 1 << 18, passes: 3, lanes: 4 };

    fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.memory_kib.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.passes.to_be_bytes());
        bytes[8..].copy_from_slice(&self.lanes.to_be_bytes());
        bytes
    }

    fn decode([m0, m1, m2, m3, p0, p1, p2, p3, l0, l1, l2, l3]: [u8; 12]) -> Self {
        Self {
            memory_kib: u32::from_be_bytes([m0, m1, m2, m3]),
            passes: u32::from_be_bytes([p0, p1, p2, p3]),
            lanes: u32::from_be_bytes([l0, l1, l2, l3]),
        }
    }

    fn params(self) -> Option<Params> {
        let Self { memory_kib, passes, lanes } = self;
        let cheap = memory_kib <= MOST.memory_kib && passes <= MOST.passes && lanes <= MOST.lanes;
        Params::new(memory_kib, passes, lanes, Some(32)).ok().filter(|_| cheap)
    }
}

/// A stanza as it lies in a keyring.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stanza(pub(super) [u8; STANZA_BYTES]);

impl Stanza {
    /// Wraps the file key.
    pub(super) fn wrap(
        key: &FileKey,
        passphrase: &Passphrase,
        cost: Cost,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SealError> {
        let mut stanza = [0; STANZA_BYTES];
        let (parameters, wrapped) = stanza.split_at_mut(PARAMETER_BYTES);
        rng.fill_bytes(&mut parameters[..ARGON2_SALT_BYTES]);
        parameters[ARGON2_SALT_BYTES..].copy_from_slice(&cost.encode());
        let outer = stretch(passphrase, parameters)?;
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let context = [CONTEXT, parameters].concat();
        wrapped.copy_from_slice(&chunks::seal(&outer, &context, &salt, key.secret().expose())?);
        Ok(Self(stanza))
    }

    /// Unwraps the file key.
    pub(super) fn unwrap(&self, passphrase: &Passphrase) -> Result<FileKey, SealError> {
        let (parameters, wrapped) = self.0.split_at(PARAMETER_BYTES);
        let outer = stretch(passphrase, parameters)?;
        let context = [CONTEXT, parameters].concat();
        let opened = chunks::open(&outer, &context, wrapped).map(Zeroizing::new);
        let opened = opened.map_err(|_| SealError::WrongPassphrase)?;
        Ok(FileKey(Secret::from_slice(&opened, "the file key")?))
    }

    /// What a guess costs.
    pub(super) fn cost(&self) -> Cost {
        let mut bytes = [0; 12];
        bytes.copy_from_slice(&self.0[ARGON2_SALT_BYTES..PARAMETER_BYTES]);
        Cost::decode(bytes)
    }
}

fn stretch(passphrase: &Passphrase, parameters: &[u8]) -> Result<Secret<32>, SealError> {
    const WHAT: SealError = SealError::Malformed { what: "the cost of the passphrase" };
    let (salt, cost) = parameters.split_at(ARGON2_SALT_BYTES);
    let cost = cost.try_into().map(Cost::decode).map_err(|_| WHAT)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params().ok_or(WHAT)?);
    let mut key = Secret::new([0; 32]);
    let text = passphrase.as_bytes();
    argon2.hash_password_into(text, salt, key.expose_mut()).map_err(|_| WHAT)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 2 };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned().into()).unwrap()
    }

    fn stanza(cost: Cost) -> Result<Stanza, SealError> {
        let key = FileKey(Secret::new([9; 32]));
        Stanza::wrap(&key, &passphrase("correct horse"), cost, &mut UnwrapErr(SysRng))
    }

    #[test]
    fn only_the_same_passphrase_unwraps() {
        let stanza = stanza(CHEAP).unwrap();
        assert_eq!(stanza.cost(), CHEAP);
        let key = stanza.unwrap(&passphrase("correct horse")).ok().unwrap();
        assert_eq!(key.secret().expose(), &[9; 32]);
        for wrong in ["correct hors", "correct horse ", "Correct horse"] {
            let opened = stanza.unwrap(&passphrase(wrong)).map(|_| ());
            assert_eq!(opened, Err(SealError::WrongPassphrase), "{wrong}");
        }
    }

    #[test]
    fn a_changed_byte_anywhere_in_a_stanza_is_refused() {
        let whole = stanza(CHEAP).unwrap();
        for at in 0..STANZA_BYTES {
            let mut changed = whole.clone();
            changed.0[at] ^= 1;
            assert!(changed.unwrap(&passphrase("correct horse")).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_cost_that_would_stop_the_machine_is_refused_before_it_is_paid() {
        let most = MOST.memory_kib;
        for cost in [
            Cost { memory_kib: most + 1, ..CHEAP },
            Cost { passes: MOST.passes + 1, ..CHEAP },
            Cost { lanes: MOST.lanes + 1, memory_kib: 1024, ..CHEAP },
            Cost { passes: 0, ..CHEAP },
            Cost { lanes: 0, ..CHEAP },
            Cost { memory_kib: 8 * CHEAP.lanes - 1, ..CHEAP },
        ] {
            let refused = stanza(cost).map(|_| ());
            let what = "the cost of the passphrase";
            assert_eq!(refused, Err(SealError::Malformed { what }), "{cost:?}");
        }
    }

    #[test]
    fn an_empty_or_endless_passphrase_is_refused() {
        assert!(Passphrase::new(String::new().into()).is_err());
        assert!(Passphrase::new("x".repeat(MAX_PASSPHRASE_BYTES).into()).is_ok());
        assert!(Passphrase::new("x".repeat(MAX_PASSPHRASE_BYTES + 1).into()).is_err());
    }
}
