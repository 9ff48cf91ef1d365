//! One file a command; each gets an open studio and answers once.

pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod revoke;
pub(crate) mod share;
pub(crate) mod up;
