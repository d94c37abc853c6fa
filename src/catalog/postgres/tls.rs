//! How the certificate of a server is checked, for each of libpq's modes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio::task::spawn_blocking;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Problem, SslMode};

/// Longest file of authorities. Mozilla's list has a quarter of a MiB.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Checks less than [`WebPkiServerVerifier`] does.
#[derive(Debug)]
struct Lax {
    provider: Arc<CryptoProvider>,
    /// Asks who signed the certificate. Without it nobody is asked.
    authorities: Option<Arc<WebPkiServerVerifier>>,
}

/// What speaks TLS with the server as `mode` wants it. As with libpq, `require` asks the authorities if some are named.
pub(super) async fn connector(
    mode: SslMode,
    ca_file: Option<&Path>,
) -> Result<MakeRustlsConnect, Problem> {
    let provider = Arc::new(ring::default_provider());
    let asked = match (mode, ca_file) {
        (SslMode::Disable, _) | (SslMode::Prefer | SslMode::Require, None) => None,
        (_, Some(file)) => Some(from_file(file).await?),
        (SslMode::VerifyCa | SslMode::VerifyFull, None) => Some(from_system().await?),
    };
    let authorities = asked
        .map(|roots| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
        })
        .transpose()
        .map_err(|error| Problem::Certificate(error.to_string()))?;
    let verifier: Arc<dyn ServerCertVerifier> = match (mode, authorities) {
        (SslMode::VerifyFull, Some(authorities)) => authorities,
        (_, authorities) => Arc::new(Lax {
            provider: Arc::clone(&provider),
            authorities,
        }),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Problem::Certificate(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

async fn from_file(path: &Path) -> Result<RootCertStore, Problem> {
    let file = path.to_owned();
    let read = spawn_blocking(move || read_file(&file)).await;
    let read = read.unwrap_or_else(|error| Err(error.to_string()));
    read.map_err(|cause| Problem::CaFile {
        path: path.to_owned(),
        cause,
    })
}

fn read_file(path: &Path) -> Result<RootCertStore, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err("it is no file, or too long a one".to_owned());
    }
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        added?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(roots)
}

async fn from_system() -> Result<RootCertStore, Problem> {
    let found = spawn_blocking(rustls_native_certs::load_native_certs).await;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.map(|found| found.certs).unwrap_or_default());
    if roots.is_empty() {
        return Err(Problem::NoAuthorities);
    }
    Ok(roots)
}

// === impl Lax ===

impl ServerCertVerifier for Lax {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The name is compared last: all the rest is right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
