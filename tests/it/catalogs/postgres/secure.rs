//! TLS, in libpq's words.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{READER, config, open_with};
use crate::support::postgres::Postgres;

/// An authority, and a server's certificate for `localhost` that it signed.
fn certificates(folder: &Path) {
    let openssl = |line: &str| {
        let made = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(folder)
            .output()
            .expect("openssl is needed: apt-get install openssl");
        assert!(made.status.success(), "{made:?}");
    };
    std::fs::write(
        folder.join("ext"),
        "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n",
    )
    .unwrap();
    for name in ["ca", "other"] {
        openssl(&format!(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ));
    }
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem");
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 2 -extfile ext -out cert.pem",
    );
    Command::new("chmod")
        .args(["600", "key.pem"])
        .current_dir(folder)
        .status()
        .unwrap();
}

async fn server() -> Postgres {
    let server = Postgres::with(|folder| {
        certificates(folder);
        let file = |name: &str| folder.join(name).display().to_string();
        let mut arguments = Vec::new();
        for setting in [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", file("cert.pem")),
            format!("ssl_key_file={}", file("key.pem")),
        ] {
            arguments.extend(["-c".to_owned(), setting]);
        }
        arguments
    })
    .await;
    server.add_demo().await;
    server
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_certificate_is_checked_as_far_as_was_asked() {
    let server = server().await;
    let file = |name: &str| Some(server.folder().join(name));
    let untrusted = Err("UnknownIssuer");
    let another_name = Err("not valid for name");
    for (host, mode, ca_file, expected) in [
        ("localhost", "?sslmode=disable", None, Ok(false)),
        ("localhost", "", None, Ok(true)),
        ("localhost", "?sslmode=require", None, Ok(true)),
        ("localhost", "?sslmode=verify-full", None, untrusted),
        ("localhost", "?sslmode=verify-ca", None, untrusted),
        ("localhost", "", file("ca.pem"), Ok(true)),
        ("localhost", "", file("other.pem"), untrusted),
        (
            "localhost",
            "?sslmode=require",
            file("other.pem"),
            untrusted,
        ),
        ("127.0.0.1", "", file("ca.pem"), another_name),
        ("127.0.0.1", "?sslmode=verify-ca", file("ca.pem"), Ok(true)),
        ("127.0.0.1", "?sslmode=require", file("ca.pem"), Ok(true)),
        (
            "localhost",
            "?sslmode=verify-full",
            file("ca.pem"),
            Ok(true),
        ),
    ] {
        let port = server.port;
        let address = format!("postgres://{READER}@{host}:{port}/postgres{mode}");
        let case = format!("{host} {mode} {ca_file:?}");
        check(&server, &address, ca_file, expected, &case).await;
    }
}

async fn check(
    server: &Postgres,
    address: &str,
    ca_file: Option<PathBuf>,
    expected: Result<bool, &str>,
    case: &str,
) {
    let only_encrypted = |on: bool| {
        let kind = if on { "hostssl" } else { "hostnossl" };
        format!("local all all trust\n{kind} all all all scram-sha-256\n")
    };
    // The server lets in only who comes as is expected.
    if let Ok(encrypted) = expected {
        server.admit(&only_encrypted(encrypted)).await;
    }
    let mut config = config(address);
    config.postgres.ca_file = ca_file;
    match (open_with(&config).await, expected) {
        (Ok(catalog), Ok(_)) => assert_eq!(catalog.tables().count(), 21, "{case}"),
        (Err(told), Err(words)) => {
            assert!(
                told.contains("the TLS connection is not trusted"),
                "{case}: {told}"
            );
            assert!(told.contains(words), "{case}: {told}");
        }
        (found, expected) => panic!("{case}: {found:?} instead of {expected:?}"),
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_file_of_authorities_has_to_be_one() {
    let server = Postgres::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.pem"), "no certificate").unwrap();
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(folder.path().join("damaged.pem"), damaged).unwrap();
    for (name, words) in [
        ("missing.pem", "No such file"),
        ("empty.pem", "there is no certificate in it"),
        ("damaged.pem", "cannot be used"),
        (".", "it is no file"),
    ] {
        let mut config = config(&server.url(READER, "postgres"));
        config.postgres.ca_file = Some(folder.path().join(name));
        let told = open_with(&config).await.unwrap_err();
        assert!(told.contains("postgres.ca_file /"), "{told}");
        assert!(told.contains(words), "{name}: {told}");
    }
}
