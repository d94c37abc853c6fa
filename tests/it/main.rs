//! Every test that looks at dragoman from outside. One binary: one link step.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod support;

mod anthropic;
mod approvals;
mod bad_input;
mod budget;
mod catalogs;
mod config;
mod documents;
mod floors;
mod grpc;
mod guide;
mod matrix;
mod mcp;
mod mock_model;
mod openai;
mod process;
mod redial;
mod roles;
mod traces;
mod trouble;
mod unary;
mod websocket;
