//! Tools of others: servers that speak the Model Context Protocol.

mod config;

pub use config::{Config, Inherited, Server, check_pattern};
