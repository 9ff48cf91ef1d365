//! Sealed objects, identities, grants and the key schedule.
