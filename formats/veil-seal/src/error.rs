//! What can go wrong when something is sealed, opened or read.

/// A failure to open, seal or parse.
///
/// The variants say who is at fault; none carries secret or unauthenticated bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum SealError {
    /// The object ends before its header or before its last chunk.
    #[error("the sealed object is truncated")]
    Truncated,
    /// The key or the role is not the one that the object was sealed with.
    #[error("the sealed object belongs to another key or role")]
    WrongKey,
    /// A chunk was changed, moved or replaced.
    #[error("chunk {chunk} of the sealed object was tampered with")]
    Tampered {
        /// Number of the first chunk that failed, from 0.
        chunk: u64,
    },
    /// More chunks than the format allows.
    #[error("the object is larger than a sealed object can be")]
    TooLarge,
    /// The envelope was made for somebody else, or changed.
    #[error("the envelope does not open with this identity")]
    WrongIdentity,
    /// The passphrase isn't the one that the file was sealed with.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The file's keyring was changed by somebody who can't open the file.
    #[error("the keyring of the sealed file was tampered with")]
    TamperedKeyring,
    /// The bytes are no sealed file.
    #[error("this is no sealed file")]
    NotSealed,
    /// More recipients than a sealed file may have.
    #[error("a sealed file has at most {limit} recipients")]
    TooManyRecipients {
        /// The limit.
        limit: usize,
    },
    /// Nobody could open what is asked for.
    #[error("nobody could open a sealed file without recipients and passphrase")]
    NoRecipient,
    /// The envelope's X25519 share is of low order: it was made to force a known secret.
    #[error("the envelope carries a low-order X25519 share")]
    LowOrder,
    /// A text form (identity, recipient, id, link) that can't be read.
    #[error("{what} is malformed")]
    Malformed {
        /// What was being read, for example `"the recipient"`.
        what: &'static str,
    },
    /// A document of a version that this build doesn't know.
    #[error("{what} is of a version that this program does not know")]
    UnknownVersion {
        /// What was being read.
        what: &'static str,
    },
}
