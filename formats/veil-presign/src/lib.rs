//! SigV4 query signing and verifying; time is an argument.
