//! dragoman: one agent engine for a data catalog, spoken to over gRPC and WebSocket.
//!
//! A browser's JSON frame enters [`gateway`], which translates it to the gRPC service that [`chat_service`] offers; the
//! [`agent`] answers it with a [`model`] and [`tools`] over the [`catalog`]; the [`store`] keeps the log everybody
//! follows. Modules stand on floors and may only use what is below them; `tests/it/floors.rs` holds that.

// 1: words, traces, pauses, name matching and what spares polls, used by all.
pub mod backoff;
pub mod chat;
pub mod gate;
pub mod matching;
pub mod mutant;
pub mod secret;
pub mod telemetry;

// 2: one module for each thing outside.
pub mod catalog;
pub mod mock_model;
pub mod model;
pub mod rpc;
pub mod store;

// 3: what we decide.
pub mod agent;
pub mod tools;

// 4: where requests come in.
pub mod chat_service;
pub mod gateway;

// 5: putting it together.
pub mod app;
pub mod cli;
pub mod config;
pub mod lifecycle;
