//! Compiles the schema without protoc: protox reads it, tonic-prost-build writes the Rust code.

use std::error::Error;
use std::path::PathBuf;

use tonic_prost_build::{Config, configure};

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script by variables"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(["dragoman/chat/v1/chat.proto"], ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        out.join("chat_descriptor.bin"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    let mut config = Config::new();
    // The error details of google.rpc are made and read with tonic-types; its Status is the same message.
    config.extern_path(".google.rpc", "::tonic_types::pb");
    configure()
        .codec_path("crate::rpc::codec::SmallBuffers")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
