//! The stages of an import, each a function over what the stage before it returns.
//!
//! `mark` makes two variants of a picture's frames, `package` turns a source into renditions, `seal` turns their bytes into sealed objects,
//! `publish` puts those into the bucket. The order is `pipeline`'s alone.

pub mod mark;
pub mod package;
pub mod publish;
pub mod seal;
