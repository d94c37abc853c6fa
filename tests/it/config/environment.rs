//! Variables of others: XDG, OpenTelemetry, Kubernetes.

use std::path::PathBuf;

use dragoman::store;

use super::{Sources, environment};

#[test]
fn sessions_are_kept_where_they_survive_a_restart() {
    let place = |variables: &[(&str, &str)]| {
        let sources = variables
            .iter()
            .fold(Sources::new(), |sources, (name, value)| {
                sources.variable(name, value)
            });
        let store::Config::Sqlite(path) = sources.load().unwrap().config.store else {
            panic!("SQLite is the default");
        };
        path
    };
    let state = ("XDG_STATE_HOME", "/var/state");
    let home = ("HOME", "/home/ada");
    assert_eq!(
        place(&[state, home]),
        PathBuf::from("/var/state/dragoman/sessions.db")
    );
    let below_home = PathBuf::from("/home/ada/.local/state/dragoman/sessions.db");
    assert_eq!(place(&[home]), below_home);
    // The XDG specification has relative paths ignored.
    assert_eq!(place(&[home, ("XDG_STATE_HOME", "state")]), below_home);
    let here = std::path::absolute("dragoman/sessions.db").unwrap();
    assert_eq!(place(&[]), here);
    assert_eq!(place(&[("HOME", "")]), here);
}

#[test]
fn standard_otel_variables_stand_between_ours_and_the_file() {
    let endpoint = |sources: &Sources| {
        let loaded = sources.load().unwrap();
        let origin = loaded.origin("telemetry.otlp_endpoint").to_string();
        let origin = origin.rsplit('/').next().unwrap().to_owned();
        (
            loaded.config.telemetry.otlp_endpoint.unwrap_or_default(),
            origin,
        )
    };
    let check = |sources: &Sources, value: &str, origin: &str| {
        assert_eq!(endpoint(sources), (value.to_owned(), origin.to_owned()));
    };
    let sources = Sources::new().file("telemetry.otlp_endpoint = \"http://file:4317\"");
    check(&sources, "http://file:4317", "dragoman.toml:1");
    let sources = sources.variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4317");
    check(
        &sources,
        "http://all:4317",
        "environment OTEL_EXPORTER_OTLP_ENDPOINT",
    );
    let sources = sources.variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4317");
    check(
        &sources,
        "http://traces:4317",
        "environment OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    );
    let sources = sources.variable("OTEL_SDK_DISABLED", "True");
    check(&sources, "", "environment OTEL_SDK_DISABLED");
    let sources = sources.variable("DRAGOMAN_TELEMETRY_OTLP_ENDPOINT", "http://ours:4317");
    check(
        &sources,
        "http://ours:4317",
        "environment DRAGOMAN_TELEMETRY_OTLP_ENDPOINT",
    );
}

#[test]
fn an_empty_otel_variable_counts_as_unset() {
    let loaded = Sources::new()
        .variable("OTEL_SERVICE_NAME", "")
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4317")
        .variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
        .variable("OTEL_SDK_DISABLED", "false")
        .load()
        .unwrap();
    let telemetry = &loaded.config.telemetry;
    assert_eq!(telemetry.service_name, "dragoman");
    assert_eq!(telemetry.otlp_endpoint.as_deref(), Some("http://all:4317"));
}

#[test]
fn a_bad_otel_variable_is_told_only_where_it_decides() {
    let bad = Sources::new().variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/v1/traces");
    assert_eq!(
        bad.refused(),
        "1 problem in the configuration:\n  \
         environment OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.otlp_endpoint = \
         \"http://all:4318/v1/traces\": OTLP over gRPC has no path: write it like \
         http://localhost:4317"
    );
    let loaded = bad
        .variable("DRAGOMAN_TELEMETRY_OTLP_ENDPOINT", "")
        .load()
        .unwrap();
    assert_eq!(loaded.config.telemetry.otlp_endpoint, None);
    assert_eq!(
        loaded.origin("telemetry.otlp_endpoint"),
        &environment("DRAGOMAN_TELEMETRY_OTLP_ENDPOINT")
    );
}

#[test]
fn what_kubernetes_injects_for_a_service_of_our_name_is_ignored() {
    let links = [
        ("DRAGOMAN_SERVICE_HOST", "10.0.0.1"),
        ("DRAGOMAN_SERVICE_PORT", "8000"),
        ("DRAGOMAN_SERVICE_PORT_GRPC", "50051"),
        ("DRAGOMAN_PORT", "tcp://10.0.0.1:8000"),
        ("DRAGOMAN_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("DRAGOMAN_PORT_8000_TCP_PROTO", "tcp"),
        ("DRAGOMAN_PORT_8000_TCP_PORT", "8000"),
        ("DRAGOMAN_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ("DRAGOMAN_GATEWAY_SERVICE_HOST", "10.0.0.2"),
        ("DRAGOMAN_GATEWAY_SERVICE_PORT_HTTP", "80"),
        ("DRAGOMAN_GATEWAY_PORT", "tcp://10.0.0.2:80"),
        ("DRAGOMAN_GATEWAY_PORT_53_UDP_ADDR", "10.0.0.2"),
    ];
    let sources = links.iter().fold(Sources::new(), |sources, (name, value)| {
        sources.variable(name, value)
    });
    let plain = Sources::new().load().unwrap();
    assert_eq!(sources.load().unwrap(), plain);

    for near in [
        "DRAGOMAN_PORT_HTTP",
        "DRAGOMAN_PORT_99999_TCP",
        "DRAGOMAN_HTTP_SERVICE",
    ] {
        let wrong = Sources::new().variable(near, "10.0.0.1").refused();
        assert!(wrong.contains("unknown variable"), "{wrong}");
    }
}

#[test]
fn a_wish_for_a_port_is_no_service_link() {
    let wrong = Sources::new().variable("DRAGOMAN_PORT", "9000").refused();
    assert_eq!(
        wrong,
        "1 problem in the configuration:\n  environment DRAGOMAN_PORT: unknown variable: \
         `dragoman config show` lists every setting, remove this variable"
    );
}
