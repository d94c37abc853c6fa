//! The table of settings reaches every field, and what is shown can be read again.

use std::collections::BTreeSet;

use dragoman::config::{Config, SETTINGS, Setting};
use dragoman::{agent, catalog, chat, chat_service, gateway, lifecycle, model, store, telemetry};

use super::Sources;

/// Every setting, with a value that is not its default.
const EVERYTHING: &str = r#"
only = "gateway"
agents = ["http://a.example:50051", "http://[::1]:50052"]
http = "[::1]:8001"
grpc = "localhost:50052"
store = "sqlite:/data/s.db"
catalog = "/data/catalog.json"
catalog_refresh = "29s"
catalog_timeout = "20s"
model = "scripted:/data/steps.json"
guide_pace = "0s"

[postgres]
password = " not-to-be-seen "
schemas = ["dm_*", "staging"]
ca_file = "/data/ca.pem"
connect_timeout = "31s"
statement_timeout = "32s"

[openai]
base_url = "http://localhost:11434/v1"
api_key = "sk-not-to-be-seen"
api_version = "2024-10-21"
auth = "bearer"
token_field = "max_tokens"
max_output_tokens = 23
headers = ["x-team: not-to-be-seen", "x-more: a=b:c"]
body = '{"reasoning_effort":"low","stream_options":null}'
connect_timeout = "24s"
header_timeout = "25s"
idle_timeout = "26s"
total_timeout = "27s"
retries = 8
retry_pause = "28s"

[anthropic]
base_url = "http://localhost:4000"
api_key = "sk-ant-not-to-be-seen"
max_output_tokens = 24
prompt_cache = false
headers = ["x-team: not-to-be-seen"]
body = '{"output_config":{"effort":"low"}}'
connect_timeout = "29s"
header_timeout = "30s"
idle_timeout = "31s"
total_timeout = "32s"
retries = 9
retry_pause = "33s"

[collibra]
client_id = "dragoman"
client_secret = "not-to-be-seen-1"
username = "steward"
password = "not-to-be-seen-2"
types = ["table=Table", "table=File", "view="]
relations = ["column=ColumnIsPartOfTable", "key=ColumnRefersToColumn", "lineage=Feeds"]
attributes = ["owner=Data Owner", "key="]
domains = ["d0000000-0000-0000-0000-000000000001"]
communities = ["e0000000-0000-0000-0000-000000000001"]
technical_lineage = 31
page_size = 32
request_timeout = "33s"
retries = 9
retry_pause = "34s"

[limits]
question_bytes = 1000
waiting_questions = 3
rate_questions = 4
rate_window = "2m"
turn_tokens = 29
daily_tokens = 30

[prices]
input = 0.25
cached = 0.1
output = 2

[sessions]
retention = "2160h"
lease = "30s"
heartbeat = "6s"

[agent]
max_steps = 5
max_parallel_tools = 6
turn_timeout = "7s"
model_idle_timeout = "8s"
tool_timeout = "9s"
answer_bytes = "10KiB"
tool_result_bytes = "11KiB"
context_tokens = 12000
history_tokens = 1200

[tools]
ask = ["get_lineage", "crm__*"]
approval_timeout = "29s"

[gateway]
origins = ["https://*.example.com", "https://a.example"]
allow_missing_origin = false
ping_interval = "13s"
silence_timeout = "14s"
partial_interval = "15ms"
write_timeout = "16s"
frame_bytes = "17KiB"
connections = 18
when_busy = "reject"

[grpc_server]
message_bytes = "19KiB"
streams_per_connection = 20
keepalive_interval = "21s"
keepalive_timeout = "22s"
list_anonymous = true

[telemetry]
log = "debug,hyper=warn"
log_format = "json"
sample_ratio = 0.023
service_name = "guide \"of\" tables"
otlp_endpoint = "https://collector:4317"
otlp_metrics_endpoint = "https://metrics:4317"

[shutdown]
drain_timeout = "1.5s"
close_spread = "2.5s"
"#;

#[test]
fn every_setting_has_its_own_key_variable_and_help() {
    let keys: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.key).collect();
    let variables: BTreeSet<_> = SETTINGS.iter().map(Setting::variable).collect();
    assert_eq!(keys.len(), SETTINGS.len());
    assert_eq!(variables.len(), SETTINGS.len());
    for setting in SETTINGS {
        assert!(
            !setting.help.is_empty() && !setting.help.ends_with('.'),
            "{}",
            setting.key
        );
        assert!(!setting.accepts().is_empty(), "{}", setting.key);
    }
}

#[test]
fn what_is_shown_is_read_again_as_the_same() {
    let everything = Sources::new().file(EVERYTHING).load().unwrap();
    let mut again = Sources::new().file(&everything.show()).load().unwrap();
    // Secrets are not shown, so they have to come from somewhere else.
    let openai = &mut again.config.model.openai;
    assert_eq!((&openai.api_key, openai.headers.len()), (&None, 0));
    let hidden = &everything.config.model.openai;
    openai.api_key = hidden.api_key.clone();
    openai.headers = hidden.headers.clone();
    let anthropic = &mut again.config.model.anthropic;
    assert_eq!((&anthropic.api_key, anthropic.headers.len()), (&None, 0));
    let hidden = &everything.config.model.anthropic;
    anthropic.api_key = hidden.api_key.clone();
    anthropic.headers = hidden.headers.clone();
    let postgres = &mut again.config.catalog.postgres;
    assert_eq!(postgres.password, None);
    postgres.password = everything.config.catalog.postgres.password.clone();
    let collibra = &mut again.config.catalog.collibra;
    assert_eq!(
        (&collibra.client_secret, &collibra.password),
        (&None, &None)
    );
    let hidden = &everything.config.catalog.collibra;
    collibra.client_secret = hidden.client_secret.clone();
    collibra.password = hidden.password.clone();
    assert_eq!(again.config, everything.config);

    let plain = Sources::new().variable("HOME", "/home/ada").load().unwrap();
    let again = Sources::new().variable("HOME", "/home/ada");
    let again = again.file(&plain.show()).load().unwrap();
    assert_eq!(again.config, plain.config);
}

#[test]
fn every_value_is_shown_with_its_origin() {
    let shown = Sources::new()
        .file("\n[agent]\nmax_steps = 7\n")
        .variable("DRAGOMAN_GATEWAY_PING_INTERVAL", "20s")
        .flag("catalog", "/data/c.json")
        .load()
        .unwrap()
        .show();
    let line = |key: &str| {
        let found = shown.lines().find(|line| line.starts_with(key)).unwrap();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        line("gateway.ping_interval"),
        "gateway.ping_interval = \"20s\" # environment DRAGOMAN_GATEWAY_PING_INTERVAL"
    );
    assert_eq!(
        line("catalog"),
        "catalog = \"/data/c.json\" # flag --catalog"
    );
    assert_eq!(line("http"), "http = \"127.0.0.1:8000\" # default");
    assert!(line("agent.max_steps").starts_with("agent.max_steps = 7 # /"));
    assert!(line("agent.max_steps").ends_with("/dragoman.toml:3"));
    assert_eq!(shown.lines().count(), SETTINGS.len());
}

/// Each `Config` is taken apart without `..`: a new field does not compile until it has a line.
#[test]
fn every_field_of_every_part_can_be_set() {
    let loaded = Sources::new().file(EVERYTHING).load().unwrap();
    let default = Config::default();
    for setting in SETTINGS {
        assert_ne!(
            setting.text(&loaded.config),
            setting.text(&default),
            "{} has its default in this test",
            setting.key
        );
    }

    let mut fields = 0;
    let mut differs = |different: bool, name: &str| {
        assert!(different, "no setting reaches {name}");
        fields += 1;
    };
    macro_rules! all_differ {
        ($set:expr, $default:expr, $type:path { $($field:ident),+ $(,)? }) => {{
            let $type { $($field),+ } = $set;
            $(differs($field != &$default.$field, stringify!($type.$field));)+
        }};
    }
    let set = &loaded.config;
    let Config {
        only: _,
        agents: _,
        mcp: _,
        mutant: _,
        model_because: _,
        http: _,
        grpc: _,
        store: _,
        sessions: _,
        catalog: _,
        model: _,
        limits: _,
        agent: _,
        gateway: _,
        chat_service: _,
        telemetry: _,
        lifecycle: _,
    } = set;
    differs(set.only != default.only, "only");
    differs(set.agents != default.agents, "agents");
    differs(set.http != default.http, "http");
    differs(set.grpc != default.grpc, "grpc");
    differs(set.store != default.store, "store");
    let catalog::Config {
        sources,
        refresh,
        timeout,
        postgres: _,
        collibra: _,
    } = &set.catalog;
    differs(sources != &default.catalog.sources, "catalog.sources");
    differs(refresh != &default.catalog.refresh, "catalog.refresh");
    differs(timeout != &default.catalog.timeout, "catalog.timeout");
    all_differ!(
        &set.catalog.postgres,
        default.catalog.postgres,
        catalog::postgres::Config {
            password,
            schemas,
            ca_file,
            connect_timeout,
            statement_timeout,
        }
    );
    all_differ!(
        &set.catalog.collibra,
        default.catalog.collibra,
        catalog::collibra::Config {
            client_id,
            client_secret,
            username,
            password,
            types,
            relations,
            attributes,
            domains,
            communities,
            technical_lineage,
            page_size,
            request_timeout,
            retries,
            retry_pause,
        }
    );
    let model::Config {
        kind,
        guide_pace,
        openai: _,
        anthropic: _,
    } = &set.model;
    differs(kind != &default.model.kind, "model.kind");
    differs(guide_pace != &default.model.guide_pace, "guide_pace");
    macro_rules! all_of_a_server_differ {
        ($section:ident) => {
            all_differ!(
                &set.model.$section,
                default.model.$section,
                model::$section::Config {
                    base_url,
                    api_key,
                    max_output_tokens,
                    headers,
                    body,
                    connect_timeout,
                    header_timeout,
                    idle_timeout,
                    total_timeout,
                    retries,
                    retry_pause,
                    dialect,
                }
            );
        };
    }
    all_of_a_server_differ!(openai);
    all_differ!(
        &set.model.openai.dialect,
        default.model.openai.dialect,
        model::openai::Dialect {
            api_version,
            auth,
            token_field,
        }
    );
    all_of_a_server_differ!(anthropic);
    all_differ!(
        &set.model.anthropic.dialect,
        default.model.anthropic.dialect,
        model::anthropic::Dialect { prompt_cache }
    );
    all_differ!(
        &set.limits,
        default.limits,
        chat::Limits {
            question_bytes,
            waiting_questions,
            rate_questions,
            rate_window,
            daily_tokens,
        }
    );
    all_differ!(
        &set.sessions,
        default.sessions,
        store::Sessions {
            retention,
            lease,
            heartbeat,
        }
    );
    all_differ!(
        &set.agent,
        default.agent,
        agent::Config {
            max_steps,
            max_parallel_tools,
            turn_timeout,
            model_idle_timeout,
            tool_timeout,
            ask,
            approval_timeout,
            answer_bytes,
            tool_result_bytes,
            context_tokens,
            history_tokens,
            turn_tokens,
            prices,
        }
    );
    all_differ!(
        &set.gateway,
        default.gateway,
        gateway::Config {
            origins,
            allow_missing_origin,
            ping_interval,
            silence_timeout,
            partial_interval,
            write_timeout,
            frame_bytes,
            connections,
            when_busy,
            close_spread,
        }
    );
    all_differ!(
        &set.chat_service,
        default.chat_service,
        chat_service::Config {
            message_bytes,
            streams_per_connection,
            keepalive_interval,
            keepalive_timeout,
            list_anonymous,
        }
    );
    all_differ!(
        &set.telemetry,
        default.telemetry,
        telemetry::Config {
            otlp_endpoint,
            otlp_metrics_endpoint,
            service_name,
            sample_permille,
            log,
            log_format
        }
    );
    all_differ!(
        &set.lifecycle,
        default.lifecycle,
        lifecycle::Config { drain_timeout }
    );
    all_differ!(
        &set.agent.prices,
        default.agent.prices,
        agent::Prices {
            input,
            cached_permille,
            output,
        }
    );
    // `agent.prices` and the field `dialect` of two servers hold others.
    assert_eq!(fields - 3, SETTINGS.len(), "as many settings as fields");
}
