//! Defuse reads what customers write and says which message is about to boil over, why, and what
//! to answer. One [`engine`], two front doors (HTTP and command line), data files that a linguist
//! can edit without Rust.

pub mod anger;
pub mod archive;
pub mod cli;
pub mod config;
pub mod consult;
pub mod cues;
pub mod domain;
pub mod engine;
pub mod http;
pub mod language;
pub mod packs;
pub mod playbook;
pub mod priority;
pub mod sentiment;
pub mod stance;
pub mod text;
pub mod training;
pub mod wire;
