//! Each kind of problem with its whole text.

use std::os::unix::ffi::OsStringExt;

use super::Sources;

fn one(problem: &str) -> String {
    format!("1 problem in the configuration:\n  {problem}")
}

#[test]
fn everything_is_told_at_once() {
    let file = "\
htpp = \"127.0.0.1:1\"
guide_pace = 5
ping_interval = \"3s\"

[gatway]
[gateway]
ping_intervall = \"3s\"
ping_interval = \"3 hours\"

[telemetry]
frobnicate = true
otlp_endpoint = \"http://ada:secret@collector:4317\"
";
    let sources = Sources::new()
        .file(file)
        .variable("DRAGOMAN_STOER", "sqlite:x.db")
        .variable("DRAGOMAN_MODEL", "gide")
        .flag("grpc", "1");
    assert_eq!(
        sources.refused(),
        "\
11 problems in the configuration:
  environment DRAGOMAN_STOER: unknown variable: did you mean `DRAGOMAN_STORE`?
  dragoman.toml:1: unknown key `htpp`: did you mean `http`?
  dragoman.toml:2: guide_pace = \"5\": write a duration in quotes, such as \"30s\", \
not a TOML integer
  dragoman.toml:3: unknown key `ping_interval`: did you mean `gateway.ping_interval`?
  dragoman.toml:5: unknown key `gatway`: did you mean `gateway`?
  dragoman.toml:7: unknown key `gateway.ping_intervall`: did you mean `gateway.ping_interval`?
  dragoman.toml:8: gateway.ping_interval = \"3 hours\": out of range, accepted: 1s to 10m
  dragoman.toml:11: unknown key `telemetry.frobnicate`: `dragoman config show` lists every setting, \
remove this key
  dragoman.toml:12: telemetry.otlp_endpoint = (not repeated, it has an `@`): \
must not hold a password: send it as a header, by OTEL_EXPORTER_OTLP_HEADERS
  environment DRAGOMAN_MODEL: model = \"gide\": write guide, openai, openai:NAME, anthropic, anthropic:NAME, or scripted:FILE
  flag --grpc: grpc = \"1\": write host and port, such as 127.0.0.1:8000"
    );
}

#[test]
fn a_file_that_is_not_toml_is_told_with_its_line() {
    let wrong = Sources::new()
        .file("http = \"127.0.0.1:1\"\ngrpc = [1,\n")
        .refused();
    assert!(
        wrong.starts_with(&one("dragoman.toml:2: not TOML: ")),
        "{wrong}"
    );
    assert_eq!(
        Sources::new()
            .file("http = \"a:1\"\nhttp = \"a:2\"\n")
            .refused(),
        one("dragoman.toml:2: not TOML: duplicate key")
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_who_named_it() {
    let reason = "cannot read the configuration file /nowhere/d.toml: No such file or directory \
                  (os error 2)";
    let mut by_flag = Sources::new();
    by_flag.flags.config = Some("/nowhere/d.toml".into());
    assert_eq!(by_flag.refused(), one(&format!("flag --config: {reason}")));
    let by_variable = Sources::new().variable("DRAGOMAN_CONFIG", "/nowhere/d.toml");
    assert_eq!(
        by_variable.refused(),
        one(&format!("environment DRAGOMAN_CONFIG: {reason}"))
    );

    let large = Sources::new().file(&"#".repeat(1024 * 1024 + 1));
    assert_eq!(
        large.refused(),
        one(
            "flag --config: cannot read the configuration file dragoman.toml: \
             it is larger than 1 MiB"
        )
    );
    let binary = Sources::new().file("");
    std::fs::write(binary.path(), [0xff, 0xfe]).unwrap();
    assert_eq!(
        binary.refused(),
        one(
            "flag --config: cannot read the configuration file dragoman.toml: it is not UTF-8 text"
        )
    );
}

#[test]
fn a_variable_that_is_not_text_is_told_and_one_of_others_is_not() {
    let mut sources = Sources::new();
    let broken = || std::ffi::OsString::from_vec(vec![0xff]);
    sources.variables.push(("PATH".into(), broken()));
    sources.load().unwrap();
    sources.variables.push(("DRAGOMAN_HTTP".into(), broken()));
    assert_eq!(
        sources.refused(),
        one("environment DRAGOMAN_HTTP: the value is not UTF-8 text")
    );
}

#[test]
fn a_value_that_is_overruled_is_checked_too() {
    let sources = Sources::new()
        .variable("DRAGOMAN_HTTP", "x")
        .flag("http", "127.0.0.1:0");
    assert_eq!(
        sources.refused(),
        one("environment DRAGOMAN_HTTP: http = \"x\": write host and port, such as 127.0.0.1:8000")
    );
}

#[test]
fn long_values_and_control_characters_are_not_repeated() {
    let value = format!("\u{1b}[31m{}", "x".repeat(10_000));
    let wrong = Sources::new()
        .variable("DRAGOMAN_AGENT_MAX_STEPS", &value)
        .refused();
    let expected = format!("\"\\u{{1b}}[31m{}\"…: not a whole number", "x".repeat(55));
    assert!(wrong.ends_with(&expected), "{wrong}");
}

#[test]
fn values_that_do_not_go_together_are_told_with_both_origins() {
    let sources = Sources::new().variable("DRAGOMAN_GATEWAY_SILENCE_TIMEOUT", "20s");
    assert_eq!(
        sources.refused(),
        one(
            "gateway.silence_timeout = \"20s\" (environment DRAGOMAN_GATEWAY_SILENCE_TIMEOUT) and \
             gateway.ping_interval = \"30s\" (default): the first must be longer, or every quiet \
             client counts as gone"
        )
    );
    let sources = Sources::new().flag("http", "127.0.0.1:50051");
    assert_eq!(
        sources.refused(),
        one(
            "http = \"127.0.0.1:50051\" (flag --http) and grpc = \"127.0.0.1:50051\" (default): \
             two servers cannot share one address"
        )
    );
    Sources::new()
        .flag("http", "127.0.0.1:0")
        .flag("grpc", "127.0.0.1:0")
        .load()
        .unwrap();
    let sources = Sources::new().variable("DRAGOMAN_LIMITS_QUESTION_BYTES", "64KiB");
    assert_eq!(
        sources.refused(),
        one(
            "limits.question_bytes = \"64KiB\" (environment DRAGOMAN_LIMITS_QUESTION_BYTES) and \
             gateway.frame_bytes = \"64KiB\" (default): the second must be larger, or the longest \
             question does not fit a frame"
        )
    );
}

#[test]
fn a_password_is_not_repeated() {
    let wrong = Sources::new()
        .variable("DRAGOMAN_STORE", "redis+x://me:s3cret@host")
        .refused();
    assert!(!wrong.contains("s3cret"), "{wrong}");
}

#[test]
fn roles_and_leases_that_do_not_fit_are_told() {
    let wrong = Sources::new().flag("only", "gateway").refused();
    assert!(wrong.ends_with("and only a gateway asks agents"), "{wrong}");
    let wrong = Sources::new().flag("agents", "http://a:1").refused();
    assert!(wrong.ends_with("and only a gateway asks agents"), "{wrong}");
    let wrong = Sources::new()
        .variable("DRAGOMAN_SESSIONS_LEASE", "8s")
        .refused();
    assert!(wrong.contains("at least twice the first"), "{wrong}");
}

#[test]
fn every_bad_value_says_what_is_accepted() {
    let cases = [
        (
            "DRAGOMAN_HTTP",
            "8000",
            "write host and port, such as 127.0.0.1:8000",
        ),
        (
            "DRAGOMAN_HTTP",
            ":80",
            "the host is missing: write 0.0.0.0:80 for every IPv4 address",
        ),
        (
            "DRAGOMAN_HTTP",
            "::1:80",
            "an IPv6 address stands in brackets: [::1]:80",
        ),
        (
            "DRAGOMAN_HTTP",
            "a:70000",
            "the port is a number from 0 to 65535, such as 127.0.0.1:8000",
        ),
        (
            "DRAGOMAN_HTTP",
            "127.0.0.256:80",
            "the host is no IP address and no name: write it like 127.0.0.1:8000",
        ),
        (
            "DRAGOMAN_STORE",
            "postgres:x",
            "write sqlite:PATH or redis://HOST:PORT",
        ),
        (
            "DRAGOMAN_SESSIONS_RETENTION",
            "5s",
            "out of range, accepted: auto, 0s, or 1m to 87600h",
        ),
        (
            "DRAGOMAN_ONLY",
            "agents",
            "write everything, agent or gateway",
        ),
        (
            "DRAGOMAN_AGENTS",
            "a:50051",
            "the agent `a:50051` has no scheme: write it like http://agent:50051",
        ),
        (
            "DRAGOMAN_AGENTS",
            "http://a:1,https://b:2",
            "the agent `https://b:2` asks for TLS, which is not there yet: write http://, on a \
             private network",
        ),
        (
            "DRAGOMAN_AGENTS",
            "http://a",
            "the agent `http://a` needs host and port: write it like http://agent:50051",
        ),
        (
            "DRAGOMAN_AGENTS",
            "http://a:1/chat",
            "the agent `http://a:1/chat` has a path: the URL of an agent ends after host and port",
        ),
        (
            "DRAGOMAN_GATEWAY_WHEN_BUSY",
            "wait",
            "write queue, reject or interrupt",
        ),
        ("DRAGOMAN_STORE", "sqlite:", "the file is missing"),
        (
            "DRAGOMAN_STORE",
            "sqlite:///x",
            "this is not a URL: write sqlite:PATH, without //",
        ),
        (
            "DRAGOMAN_STORE",
            "sqlite::memory:",
            "sessions must survive a restart: write sqlite:PATH with a file",
        ),
        (
            "DRAGOMAN_STORE",
            "sqlite:~/s.db",
            "`~` is not expanded here: write the whole path",
        ),
        (
            "DRAGOMAN_CATALOG",
            "folder/",
            "this is a folder: name a file",
        ),
        (
            "DRAGOMAN_MODEL",
            "scripted",
            "write guide, openai, openai:NAME, anthropic, anthropic:NAME, or scripted:FILE",
        ),
        (
            "DRAGOMAN_GUIDE_PACE",
            "15",
            "not a duration: write a number and a unit, such as 40ms, 30s or 2m",
        ),
        (
            "DRAGOMAN_GUIDE_PACE",
            "-1s",
            "a duration cannot be negative",
        ),
        (
            "DRAGOMAN_GUIDE_PACE",
            "2s",
            "out of range, accepted: 0s to 1s",
        ),
        (
            "DRAGOMAN_GATEWAY_FRAME_BYTES",
            "64KB",
            "not a size: write bytes, or a number with KiB or MiB, such as 64KiB",
        ),
        (
            "DRAGOMAN_GATEWAY_FRAME_BYTES",
            "1GiB",
            "out of range, accepted: 1KiB to 16MiB",
        ),
        (
            "DRAGOMAN_GATEWAY_FRAME_BYTES",
            "99999999999999999999999",
            "out of range, accepted: 1KiB to 16MiB",
        ),
        (
            "DRAGOMAN_AGENT_MAX_STEPS",
            "0",
            "out of range, accepted: 1 to 100",
        ),
        (
            "DRAGOMAN_AGENT_MAX_STEPS",
            "5000000000",
            "out of range, accepted: 1 to 100",
        ),
        ("DRAGOMAN_AGENT_MAX_STEPS", "-1", "not a whole number"),
        (
            "DRAGOMAN_GATEWAY_ALLOW_MISSING_ORIGIN",
            "yes",
            "write true or false",
        ),
        (
            "DRAGOMAN_GATEWAY_ORIGINS",
            "localhost:3000",
            "the origin `localhost:3000` has no scheme: write it like https://app.example.com",
        ),
        (
            "DRAGOMAN_GATEWAY_ORIGINS",
            "https://a/,https://b",
            "the origin `https://a/` has a path: an origin ends after host and port",
        ),
        (
            "DRAGOMAN_GATEWAY_ORIGINS",
            "https://a:443",
            "the origin `https://a:443` never matches, as browsers leave out that port: write \
             https://a",
        ),
        (
            "DRAGOMAN_TELEMETRY_LOG",
            "inof",
            "`inof` is no level: write off, error, warn, info, debug or trace, or target=level",
        ),
        (
            "DRAGOMAN_TELEMETRY_LOG_FORMAT",
            "xml",
            "write auto, text or json",
        ),
        (
            "DRAGOMAN_TELEMETRY_SAMPLE_RATIO",
            "1.001",
            "out of range, accepted: 0 to 1",
        ),
        (
            "DRAGOMAN_TELEMETRY_SAMPLE_RATIO",
            "0.0005",
            "write 0, 1 or a decimal such as 0.25, with at most three decimals",
        ),
        (
            "DRAGOMAN_TELEMETRY_SERVICE_NAME",
            "",
            "write 1 to 128 characters without control characters",
        ),
        (
            "DRAGOMAN_TELEMETRY_OTLP_ENDPOINT",
            "collector:4317",
            "write it like http://localhost:4317",
        ),
    ];
    for (name, value, reason) in cases {
        let wrong = Sources::new().variable(name, value).refused();
        assert!(wrong.starts_with("1 problem"), "{wrong}");
        assert!(wrong.contains(&format!("environment {name}: ")), "{wrong}");
        assert!(wrong.ends_with(&format!(": {reason}")), "{wrong}");
    }
}

#[test]
fn every_toml_type_is_held_to_its_setting() {
    let cases = [
        (
            "http = 8000",
            "http = \"8000\": write a string in quotes, not a TOML integer",
        ),
        (
            "gateway.frame_bytes = true",
            "gateway.frame_bytes = \"true\": write bytes as an integer, or a size in quotes, such \
             as \"64KiB\", not a TOML boolean",
        ),
        (
            "agent.max_steps = \"12\"",
            "agent.max_steps = \"\\\"12\\\"\": write an integer, not a TOML string",
        ),
        (
            "gateway.allow_missing_origin = \"no\"",
            "gateway.allow_missing_origin = \"\\\"no\\\"\": write true or false, without quotes, \
             not a TOML string",
        ),
        (
            "gateway.origins = \"http://a\"",
            "gateway.origins = \"\\\"http://a\\\"\": write an array of strings, not a TOML string",
        ),
        (
            "gateway.origins = [1]",
            "gateway.origins = \"[1]\": write an array of strings without commas",
        ),
        (
            "telemetry.sample_ratio = []",
            "write a number from 0 to 1, not a TOML array",
        ),
        ("[http]", "write a string in quotes, not a TOML table"),
    ];
    for (file, reason) in cases {
        let wrong = Sources::new().file(file).refused();
        assert!(wrong.starts_with(&one("dragoman.toml:1: ")), "{wrong}");
        assert!(wrong.ends_with(reason), "{wrong}");
    }
}
