//! gRPC: the generated types, the only conversion to and from them, and a client that speaks in our own words.

pub mod client;
pub mod codec;
pub mod convert;
pub mod status;

/// Code generated from `proto/dragoman/chat/v1/chat.proto`. Its documentation is there.
pub mod proto {
    #![expect(
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::clone_on_ref_ptr,
        reason = "generated code"
    )]

    tonic::include_proto!("dragoman.chat.v1");

    /// The schema, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/chat_descriptor.bin"));
}
