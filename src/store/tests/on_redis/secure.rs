//! A server that speaks TLS. Certificates are trusted that the system trusts, or that `SSL_CERT_FILE` names.

use std::process::Command;

use super::*;

/// A server certificate of its own.
fn certify(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl is needed: apt-get install openssl");
    assert!(made.status.success(), "{made:?}");
}

/// The address the other test was given. A process reads once which certificates it trusts, so that it has its own.
fn given() -> Option<String> {
    std::env::args().find(|word| word.starts_with("rediss://"))
}

/// Nothing by itself: the next test runs it with an address.
#[tokio::test]
async fn child() {
    let Some(url) = given() else {
        return;
    };
    let config = Config::Redis(RedisAddress::parse(&url).unwrap());
    let open = async || Store::open(&config, generous(), &short()).await.unwrap();
    everything(&open().await, &open().await).await;
    println!("everything works");
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let server = Server::with_tls(folder.path());
    let url = server.tls_url();
    let config = Config::Redis(RedisAddress::parse(&url).unwrap());
    let refused = Store::open(&config, generous(), &short())
        .await
        .unwrap_err();
    let refused = refused.to_string();
    assert!(refused.to_lowercase().contains("certificate"), "{refused}");

    let trusting = Command::new(std::env::current_exe().unwrap())
        .args(["store::tests::on_redis::secure::child", &url])
        .args(["--exact", "--nocapture"])
        .env("SSL_CERT_FILE", folder.path().join("cert.pem"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&trusting.stdout);
    assert!(said.contains("everything works"), "{trusting:?}");
}
