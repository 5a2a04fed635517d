//! One function for every promise of a contract, as a library for the tests of every implementation.
//!
//! Each suite has a function `all` that runs them in turn, each on a fresh subject; the single functions are
//! public so that an implementation can show which promise it breaks. They panic with a sentence when a
//! promise is broken.

pub mod checkpoints;
pub mod dead_letters;
pub mod destination;
pub mod inbox;
pub mod key_map;
pub mod source;
pub mod widening;
