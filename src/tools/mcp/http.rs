//! Servers over streamable HTTP.
//!
//! rmcp's client does the work; this adds what it leaves to us: the trace in a header, and an answer for a call whose
//! result is too large.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use rmcp::model::{
    CallToolRequestParams, ClientJsonRpcMessage, ClientRequest, JsonRpcRequest, RequestId,
    RequestParamsMeta as _,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse, StreamableHttpResponseLimits,
};
use sse_stream::Sse;

use super::config::Server;
use super::error::ConnectError;
use super::oversize;

/// Longest error page that is read, in bytes.
const ERROR_BYTES: usize = 4 * 1024;

type Headers = HashMap<HeaderName, HeaderValue>;
type Failure = StreamableHttpError<reqwest::Error>;

/// The client of one server.
#[derive(Debug, Clone)]
pub(super) struct Client {
    client: reqwest::Client,
    /// Sent with every request: the configured ones and the token, marked as sensitive.
    headers: Arc<HeaderMap>,
}

/// The transport to `server`. Opens no connection yet.
pub(super) fn transport(
    server: &Server,
) -> Result<StreamableHttpClientTransport<Client>, ConnectError> {
    let client = Client::new(server)?;
    let limit = server.message_bytes();
    let config = StreamableHttpClientTransportConfig::with_uri(server.url.as_str())
        .max_sse_event_size(limit)
        .max_json_response_size(limit)
        .max_error_response_size(ERROR_BYTES)
        // A session that the server has forgotten is a lost connection like any other: its tools may be others now.
        .reinit_on_expired_session(false);
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

// === impl Client ===

impl Client {
    fn new(server: &Server) -> Result<Self, ConnectError> {
        // Two crypto providers could be compiled in one day: say which one, once. An error means that it has been said.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(server.connect_timeout)
            // The token is for one address only.
            .redirect(Policy::none())
            .user_agent(concat!("dragoman/", env!("CARGO_PKG_VERSION")));
        if is_local(server) {
            builder = builder.no_proxy();
        }
        if server.url.starts_with("http://") {
            // Nothing is verified, so a system without certificates will do.
            builder = builder.tls_certs_only([]);
        }
        let mut headers = server.headers.clone();
        if let Some(token) = &server.token {
            let bearer = format!("Bearer {}", token.expose());
            let mut value = HeaderValue::from_str(&bearer).map_err(|_| ConnectError::Token)?;
            value.set_sensitive(true);
            headers.insert(http::header::AUTHORIZATION, value);
        }
        Ok(Self {
            client: builder.build().map_err(ConnectError::Client)?,
            headers: Arc::new(headers),
        })
    }

    fn with_ours(&self, mut headers: Headers) -> Headers {
        // Several values of one name are joined, as HTTP has it.
        for name in self.headers.keys() {
            let values: Vec<&[u8]> = self
                .headers
                .get_all(name)
                .iter()
                .map(HeaderValue::as_bytes)
                .collect();
            if let Ok(mut value) = HeaderValue::from_bytes(&values.join(&b", "[..])) {
                value.set_sensitive(true);
                headers.insert(name.clone(), value);
            }
        }
        headers
    }
}

impl StreamableHttpClient for Client {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(
            uri,
            message,
            session_id,
            auth_header,
            headers,
            limits,
        )
        .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let mut headers = self.with_ours(headers);
        let mut request_id = None;
        if let ClientJsonRpcMessage::Request(request) = &message {
            headers.extend(trace_headers(request));
            request_id = Some(request.id.clone());
        }
        let limit = limits.max_json_response_size;
        let answer = self
            .client
            .post_message_with_response_limits(
                uri,
                message,
                session_id,
                auth_header,
                headers,
                limits,
            )
            .await;
        match (answer, request_id) {
            (Err(StreamableHttpError::ResponseBodyTooLarge { .. }), Some(id)) => {
                let replacement = oversize::replacement(id, limit);
                Ok(StreamableHttpPostResponse::Json(replacement, None))
            }
            (Ok(StreamableHttpPostResponse::Sse(events, session)), Some(id)) => Ok(
                StreamableHttpPostResponse::Sse(bounded(events, id, limit), session),
            ),
            (answer, _) => answer,
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        let headers = self.with_ours(headers);
        self.client
            .delete_session(uri, session_id, auth_header, headers)
            .await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        headers: Headers,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let headers = self.with_ours(headers);
        self.client
            .get_stream(uri, session_id, last_event_id, auth_header, headers)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        headers: Headers,
        limit: usize,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let headers = self.with_ours(headers);
        self.client
            .get_stream_with_max_sse_event_size(
                uri,
                session_id,
                last_event_id,
                auth_header,
                headers,
                limit,
            )
            .await
    }
}

/// The trace of a request, which is in its `_meta` already, as headers: proxies and servers that do not speak MCP see it.
fn trace_headers(
    request: &JsonRpcRequest<ClientRequest>,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let params = match &request.request {
        ClientRequest::CallToolRequest(call) => Some(&call.params),
        _ => None,
    };
    let pair = |name: &'static str, value: Option<&str>| {
        let value = HeaderValue::from_str(value?).ok()?;
        Some((HeaderName::from_static(name), value))
    };
    let pairs = [
        pair(
            "traceparent",
            params.and_then(CallToolRequestParams::traceparent),
        ),
        pair(
            "tracestate",
            params.and_then(CallToolRequestParams::tracestate),
        ),
    ];
    pairs.into_iter().flatten()
}

/// The events, with an error for the request in place of one that is too large.
fn bounded(
    events: BoxStream<'static, Result<Sse, SseError>>,
    id: RequestId,
    limit: usize,
) -> BoxStream<'static, Result<Sse, SseError>> {
    let mut id = Some(id);
    events
        .map(move |event| match event {
            // rmcp does not say it otherwise.
            Err(error) if error.to_string().contains("exceeded the maximum size") => {
                let replacement = id.take().map(|id| oversize::replacement(id, limit));
                match replacement.and_then(|message| serde_json::to_string(&message).ok()) {
                    Some(message) => Ok(Sse::default().data(message)),
                    None => Err(error),
                }
            }
            event => event,
        })
        .boxed()
}

/// True for a server on this machine: a proxy is of no use, and may not know of it.
fn is_local(server: &Server) -> bool {
    server.address().is_some_and(|(host, _)| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}
