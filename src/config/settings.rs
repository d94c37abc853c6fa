mod anthropic;
mod budget;
mod catalog;
mod collibra;
mod http;
pub(super) mod mcp;
mod models;
mod openai;
mod postgres;
mod telemetry;

use std::time::Duration;

use super::setting::{Form, Setting, Special, count, count32, duration, size, special, switch};
use super::values;
use crate::store;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Longest text that fits an event of the store even if its JSON escapes every second character.
const EVENT_TEXT: usize = store::EVENT_BYTES / 2;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Every setting, in the order people are told of them. The first ones have flags.
pub static SETTINGS: &[Setting] = &[
    special(
        "only",
        "What this process does; a gateway needs `agents`, agents that stand side by side need a Redis `store`",
        Special {
            form: Form::Text,
            accepts: "everything, agent or gateway",
            default: None,
            set: |config, text, _| values::role(text).map(|value| config.only = value),
            get: |config| values::role_text(config.only),
        },
    ),
    special(
        "agents",
        "The agents a gateway asks; a name is looked up again and again, and every address behind it is used",
        Special {
            form: Form::List,
            accepts: "up to 100, such as `http://agents:50051`",
            default: None,
            set: |config, text, _| values::agents(text).map(|value| config.agents = value),
            get: |config| config.agents.join(","),
        },
    ),
    special(
        "http",
        "Where browsers connect: the page, `/ws/{session_id}`, `/healthz`, `/readyz`, `/metrics`",
        Special {
            form: Form::Text,
            accepts: "HOST:PORT, port 0 takes a free one",
            default: None,
            set: |config, text, _| values::address(text).map(|value| config.http = value),
            get: |config| config.http.clone(),
        },
    ),
    special(
        "grpc",
        "Where gRPC clients connect: `dragoman.chat.v1.Chat`, health, reflection",
        Special {
            form: Form::Text,
            accepts: "HOST:PORT, port 0 takes a free one",
            default: None,
            set: |config, text, _| values::address(text).map(|value| config.grpc = value),
            get: |config| config.grpc.clone(),
        },
    ),
    special(
        "store",
        "Where sessions are kept; by default below `$XDG_STATE_HOME` where that is set",
        Special {
            form: Form::Text,
            accepts: "sqlite:PATH, its folder is made; redis://HOST:PORT/DB, rediss:// with TLS, \
                      redis-cluster://HOST:PORT,HOST:PORT; USER:PASSWORD@ before the host",
            default: Some("sqlite:$HOME/.local/state/dragoman/sessions.db"),
            set: |config, text, folder| {
                values::store(text, folder).map(|value| config.store = value)
            },
            get: |config| match &config.store {
                store::Config::Sqlite(path) => format!("sqlite:{}", path.display()),
                store::Config::Redis(address) => address.to_string(),
            },
        },
    ),
    catalog::CATALOG,
    catalog::CATALOG_REFRESH,
    catalog::CATALOG_TIMEOUT,
    postgres::PASSWORD,
    postgres::SCHEMAS,
    postgres::CA_FILE,
    postgres::CONNECT_TIMEOUT,
    postgres::STATEMENT_TIMEOUT,
    collibra::CLIENT_ID,
    collibra::CLIENT_SECRET,
    collibra::USERNAME,
    collibra::PASSWORD,
    collibra::TYPES,
    collibra::RELATIONS,
    collibra::ATTRIBUTES,
    collibra::DOMAINS,
    collibra::COMMUNITIES,
    collibra::TECHNICAL_LINEAGE,
    collibra::PAGE_SIZE,
    collibra::REQUEST_TIMEOUT,
    collibra::RETRIES,
    collibra::RETRY_PAUSE,
    models::MODEL,
    models::GUIDE_PACE,
    openai::BASE_URL,
    openai::API_KEY,
    openai::API_VERSION,
    openai::AUTH,
    openai::TOKEN_FIELD,
    openai::MAX_OUTPUT_TOKENS,
    openai::HEADERS,
    openai::BODY,
    openai::CONNECT_TIMEOUT,
    openai::HEADER_TIMEOUT,
    openai::IDLE_TIMEOUT,
    openai::TOTAL_TIMEOUT,
    openai::RETRIES,
    openai::RETRY_PAUSE,
    anthropic::BASE_URL,
    anthropic::API_KEY,
    anthropic::MAX_OUTPUT_TOKENS,
    anthropic::PROMPT_CACHE,
    anthropic::HEADERS,
    anthropic::BODY,
    anthropic::CONNECT_TIMEOUT,
    anthropic::HEADER_TIMEOUT,
    anthropic::IDLE_TIMEOUT,
    anthropic::TOTAL_TIMEOUT,
    anthropic::RETRIES,
    anthropic::RETRY_PAUSE,
    size(
        "limits.question_bytes",
        "Longest question",
        |config| &mut config.limits.question_bytes,
        64..=EVENT_TEXT,
    ),
    count(
        "limits.waiting_questions",
        "How many questions of a session may wait while a turn runs",
        |config| &mut config.limits.waiting_questions,
        0..=1_000,
    ),
    count(
        "limits.rate_questions",
        "Questions a session may ask in any `limits.rate_window`",
        |config| &mut config.limits.rate_questions,
        1..=10_000,
    ),
    duration(
        "limits.rate_window",
        "The sliding window questions are counted in",
        |config| &mut config.limits.rate_window,
        seconds(1)..=seconds(3_600),
    ),
    special(
        "sessions.retention",
        "How long a session is kept after it was last used; 0s: for ever; auto: for ever on SQLite, 24h on Redis",
        Special {
            form: Form::Duration,
            accepts: "auto, 0s, or 1m to 87600h",
            default: None,
            set: |config, text, _| {
                values::retention(text).map(|value| config.sessions.retention = value)
            },
            get: |config| {
                let retention = config.sessions.retention;
                retention.map_or_else(|| "auto".to_owned(), values::duration_text)
            },
        },
    ),
    duration(
        "sessions.lease",
        "On Redis: how long a turn counts as running without a sign of life from its agent",
        |config| &mut config.sessions.lease,
        seconds(1)..=seconds(300),
    ),
    duration(
        "sessions.heartbeat",
        "On Redis: how often an agent gives that sign of life",
        |config| &mut config.sessions.heartbeat,
        ms(100)..=seconds(60),
    ),
    count32(
        "agent.max_steps",
        "Most model requests of one turn",
        |config| &mut config.agent.max_steps,
        1..=100,
    ),
    count(
        "agent.max_parallel_tools",
        "Most tool calls of one step",
        |config| &mut config.agent.max_parallel_tools,
        1..=64,
    ),
    duration(
        "agent.turn_timeout",
        "Longest time a turn may take",
        |config| &mut config.agent.turn_timeout,
        seconds(1)..=seconds(3_600),
    ),
    duration(
        "agent.model_idle_timeout",
        "Longest silence of the model within a step",
        |config| &mut config.agent.model_idle_timeout,
        ms(100)..=seconds(600),
    ),
    duration(
        "agent.tool_timeout",
        "Longest time one tool call may take",
        |config| &mut config.agent.tool_timeout,
        ms(100)..=seconds(600),
    ),
    size(
        "agent.answer_bytes",
        "Longest answer",
        |config| &mut config.agent.answer_bytes,
        KIB..=EVENT_TEXT,
    ),
    size(
        "agent.tool_result_bytes",
        "Longest tool result the model is given",
        |config| &mut config.agent.tool_result_bytes,
        KIB..=EVENT_TEXT,
    ),
    budget::CONTEXT_TOKENS,
    budget::HISTORY_TOKENS,
    budget::TURN_TOKENS,
    budget::DAILY_TOKENS,
    budget::INPUT_PRICE,
    budget::CACHED_PRICE,
    budget::OUTPUT_PRICE,
    special(
        "tools.ask",
        "The tools whose calls wait until somebody allows them; `*` stands for any characters",
        Special {
            form: Form::List,
            accepts: "up to 100 names, such as `get_lineage` or `crm__*`",
            default: None,
            set: |config, text, _| {
                values::tool_patterns(text).map(|value| config.agent.ask = value)
            },
            get: |config| config.agent.ask.texts().join(","),
        },
    ),
    duration(
        "tools.approval_timeout",
        "How long such a call waits before it counts as denied; it is not part of `agent.turn_timeout`",
        |config| &mut config.agent.approval_timeout,
        seconds(1)..=seconds(86_400),
    ),
    special(
        "gateway.origins",
        "Origins a page may come from besides the gateway's own; `*` stands for any characters",
        Special {
            form: Form::List,
            accepts: "up to 100, such as `https://*.example.com`",
            default: None,
            set: |config, text, _| {
                values::origins(text).map(|value| config.gateway.origins = value)
            },
            get: |config| config.gateway.origins.join(","),
        },
    ),
    switch(
        "gateway.allow_missing_origin",
        "Whether a client without an `Origin` header, which no browser is, may connect",
        |config| &mut config.gateway.allow_missing_origin,
    ),
    special(
        "gateway.when_busy",
        "What becomes of a WebSocket client's question while a turn of its session runs: it waits, is refused, or stops \
         that turn",
        Special {
            form: Form::Text,
            accepts: "queue, reject or interrupt",
            default: None,
            set: |config, text, _| {
                values::when_busy(text).map(|value| config.gateway.when_busy = value)
            },
            get: |config| values::when_busy_text(config.gateway.when_busy),
        },
    ),
    duration(
        "gateway.ping_interval",
        "How often a `ping` is sent",
        |config| &mut config.gateway.ping_interval,
        seconds(1)..=seconds(600),
    ),
    duration(
        "gateway.silence_timeout",
        "How long a client may be silent, pongs included, before it counts as gone",
        |config| &mut config.gateway.silence_timeout,
        seconds(2)..=seconds(3_600),
    ),
    duration(
        "gateway.partial_interval",
        "The shortest time between two partials of one turn",
        |config| &mut config.gateway.partial_interval,
        Duration::ZERO..=seconds(5),
    ),
    duration(
        "gateway.write_timeout",
        "How long one frame may take to be written before the client counts as stalled",
        |config| &mut config.gateway.write_timeout,
        ms(100)..=seconds(300),
    ),
    size(
        "gateway.frame_bytes",
        "Largest frame a client may send",
        |config| &mut config.gateway.frame_bytes,
        KIB..=16 * MIB,
    ),
    count(
        "gateway.connections",
        "Most WebSocket connections at a time",
        |config| &mut config.gateway.connections,
        1..=1_000_000,
    ),
    size(
        "grpc_server.message_bytes",
        "Largest message a gRPC client may send",
        |config| &mut config.chat_service.message_bytes,
        KIB..=16 * MIB,
    ),
    count32(
        "grpc_server.streams_per_connection",
        "Most streams of one gRPC connection at a time",
        |config| &mut config.chat_service.streams_per_connection,
        1..=100_000,
    ),
    duration(
        "grpc_server.keepalive_interval",
        "How often an idle gRPC connection is probed with an HTTP/2 PING",
        |config| &mut config.chat_service.keepalive_interval,
        seconds(1)..=seconds(3_600),
    ),
    duration(
        "grpc_server.keepalive_timeout",
        "How long the answer to that PING may take",
        |config| &mut config.chat_service.keepalive_timeout,
        seconds(1)..=seconds(600),
    ),
    switch(
        "grpc_server.list_anonymous",
        "Whether callers that have not signed in may list sessions, which all of them share",
        |config| &mut config.chat_service.list_anonymous,
    ),
    telemetry::LOG,
    telemetry::LOG_FORMAT,
    telemetry::SAMPLE_RATIO,
    telemetry::SERVICE_NAME,
    telemetry::OTLP_ENDPOINT,
    telemetry::OTLP_METRICS_ENDPOINT,
    duration(
        "shutdown.drain_timeout",
        "How long running turns may take to end when dragoman is told to stop",
        |config| &mut config.lifecycle.drain_timeout,
        Duration::ZERO..=seconds(3_600),
    ),
    duration(
        "shutdown.close_spread",
        "Over how long WebSocket clients are sent away then, so that not all come back at once",
        |config| &mut config.gateway.close_spread,
        Duration::ZERO..=seconds(300),
    ),
];
