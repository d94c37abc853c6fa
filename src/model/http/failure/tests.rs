use super::*;

fn peer() -> Peer {
    Peer {
        host: "models.example".to_owned(),
        model: "small".to_owned(),
        section: "openai",
        secrets: vec![Secret::new("top-secret")],
    }
}

fn answered(status: u16, body: &str) -> ModelError {
    let status = StatusCode::from_u16(status).unwrap();
    let headers = HeaderMap::new();
    peer().answered(status, &headers, body.as_bytes()).error
}

/// Bodies as servers send them.
#[test]
fn every_shape_of_error_has_its_kind() {
    use ErrorKind as Kind;
    for (status, body, kind) in [
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abc***xyz.","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            Kind::Auth,
        ),
        (
            401,
            r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key."}}"#,
            Kind::Auth,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
            Kind::RateLimited,
        ),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            Kind::QuotaExhausted,
        ),
        (
            429,
            r#"{"error":{"message":"litellm.RateLimitError","type":null,"param":null,"code":"429"}}"#,
            Kind::RateLimited,
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens","type":"BadRequestError","code":400}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"litellm.ContextWindowExceededError: prompt","code":"400"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"prompt is too long: 210000 tokens"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"The response was filtered","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            Kind::ContentFilter,
        ),
        (
            400,
            r#"[{"error":{"code":400,"message":"Invalid value at tools","status":"INVALID_ARGUMENT"}}]"#,
            Kind::BadRequest,
        ),
        (
            404,
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist"}}"#,
            Kind::NotFound,
        ),
        (
            404,
            r#"{"error":"model 'small' not found"}"#,
            Kind::NotFound,
        ),
        (
            422,
            r#"{"detail":"messages: field required"}"#,
            Kind::BadRequest,
        ),
        (
            500,
            r#"{"error":{"message":null,"type":"server_error","code":null}}"#,
            Kind::Server,
        ),
        (502, "<html><body>Bad Gateway</body></html>", Kind::Server),
        (503, "", Kind::Overloaded),
        (
            529,
            r#"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Kind::Overloaded,
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
            Kind::Overloaded,
        ),
        (
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            Kind::Auth,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}"#,
            Kind::QuotaExhausted,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2027-01-01 at 00:00 UTC."}}"#,
            Kind::QuotaExhausted,
        ),
        (
            402,
            r#"{"type":"error","error":{"type":"billing_error","message":"x"}}"#,
            Kind::QuotaExhausted,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 199000 + 16000 > 200000"}}"#,
            Kind::ContextLength,
        ),
        (
            413,
            r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
            Kind::ContextLength,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
            Kind::ContentFilter,
        ),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: small"}}"#,
            Kind::NotFound,
        ),
        (
            504,
            r#"{"type":"error","error":{"type":"timeout_error","message":"Request timed out"}}"#,
            Kind::Timeout,
        ),
        (302, "", Kind::Protocol),
        (
            200,
            r#"{"error":{"message":"upstream failed","code":null}}"#,
            Kind::Server,
        ),
        (
            200,
            r#"{"error":{"message":"slow down","code":429}}"#,
            Kind::RateLimited,
        ),
        (200, r#"{"choices":[]}"#, Kind::Protocol),
        (200, "<html>Sign in</html>", Kind::Protocol),
    ] {
        assert_eq!(answered(status, body).kind, kind, "{status} {body}");
    }
}

#[test]
fn a_message_is_short_and_holds_no_key_and_no_markup() {
    let message = answered(401, r#"{"error":{"message":"bad key sk-abc***xyz"}}"#).message;
    assert_eq!(
        message,
        "models.example does not accept the key. Whoever runs dragoman has to check openai.api_key and what it may do."
    );
    let message = answered(
        400,
        r#"{"error":{"message":"key \"sk-abc\" is\n\u0000odd."}}"#,
    )
    .message;
    assert!(message.contains("(key … is odd)"), "{message}");
    let message = answered(400, r#"{"error":{"message":"got Bearer top-secret, odd"}}"#).message;
    assert!(message.contains("(got Bearer …, odd)"), "{message}");
    let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "č".repeat(5_000));
    assert!(answered(400, &long).message.chars().count() < 350);
    let message = answered(502, "<html>Bad Gateway</html>").message;
    assert_eq!(
        message,
        "the model at models.example failed (status 502). Ask again."
    );
}

#[test]
fn an_error_in_the_stream_is_read_like_one_in_a_body() {
    let kind = |text: &str| {
        let value = serde_json::from_str(text).unwrap();
        in_band(&peer(), &value).error.kind
    };
    assert_eq!(kind(r#"{"code":503,"message":"x"}"#), ErrorKind::Overloaded);
    assert_eq!(
        kind(r#"{"type":"overloaded_error"}"#),
        ErrorKind::Overloaded
    );
    assert_eq!(
        kind(r#"{"type":"rate_limit_error"}"#),
        ErrorKind::RateLimited
    );
    assert_eq!(kind(r#"{"code":"invalid_api_key"}"#), ErrorKind::Auth);
    assert_eq!(kind(r#""it broke""#), ErrorKind::Server);
}

#[test]
fn local_servers_are_known() {
    let local = |host: &str| {
        let host = host.to_owned();
        Peer { host, ..peer() }.is_local()
    };
    assert!(local("localhost") && local("127.0.0.1") && local("[::1]"));
    assert!(!local("models.example") && !local("10.0.0.1"));
}
