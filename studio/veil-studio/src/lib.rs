//! Titles: import, seal, publish, share; catalogue and keystore.
