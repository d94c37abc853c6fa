//! Documents that cannot drift from the code.

mod config;
mod protocol;
