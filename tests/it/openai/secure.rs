//! A model over TLS. Certificates are trusted that the system trusts, or that `SSL_CERT_FILE` names.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::model_server::{ModelServer, text};
use crate::support::process::Process;

/// A server with a certificate of its own.
fn acceptor(folder: &Path) -> TlsAcceptor {
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl is needed: apt-get install openssl");
    assert!(made.status.success(), "{made:?}");
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// The last frame of a turn of a process that trusts `trusted`.
async fn asked(server: &ModelServer, folder: &Path, trusted: Option<&Path>) -> Value {
    let url = format!("https://localhost:{}/v1", server.address.port());
    let trusted = trusted.map(|file| file.display().to_string());
    let mut variables = vec![
        ("OPENAI_BASE_URL", url.as_str()),
        ("OPENAI_API_KEY", "sk-not-to-be-seen"),
    ];
    variables.extend(trusted.as_deref().map(|file| ("SSL_CERT_FILE", file)));
    let process = Process::start(folder, &[], &variables).await;
    let session = format!("/ws/trusting-{}", trusted.is_some());
    let mut client = process.chat(&session).await;
    let frames = client.asked("Hello").await;
    drop(client);
    process.signal("TERM").await;
    assert_eq!(process.ended().await.code, Some(0));
    frames.last().unwrap().clone()
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let replies = [text(
        "Hello ",
        "over an encrypted connection, as it should be.",
    )];
    let server = ModelServer::start_secure(replies, acceptor(folder.path())).await;
    let refused = asked(&server, folder.path(), None).await;
    assert_eq!(refused["type"], "error");
    let content = refused["content"].as_str().unwrap();
    assert!(content.contains("SSL_CERT_FILE"), "{content}");
    assert_eq!(
        server.connections(),
        1,
        "what stays refused is not tried again"
    );
    assert!(server.asked().is_empty(), "the key does not leave");

    let cert = folder.path().join("cert.pem");
    let answered = asked(&server, folder.path(), Some(&cert)).await;
    assert_eq!(answered["type"], "agent", "{answered}");
    assert_eq!(
        server.asked()[0].header("authorization"),
        "Bearer sk-not-to-be-seen"
    );
}
