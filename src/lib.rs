//! Defuse reads what customers write and says which message is about to boil over, why, and what
//! to answer. One [`engine`], two front doors (HTTP and command line), data files that a linguist
//! can edit without Rust.

pub mod cues;
pub mod domain;
pub mod packs;
pub mod text;
