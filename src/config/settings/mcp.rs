//! Settings of one MCP server: a section `[mcp.NAME]`.

use std::time::Duration;

use super::{KIB, MIB, ms, seconds};
use crate::config::setting::{Form, Kind, Setting, Special};
use crate::config::values;
use crate::tools::mcp::Server;

/// What the sections are called: `[mcp.NAME]`.
pub(in crate::config) const SECTION: &str = "mcp";

/// Every setting of an MCP server, in the order people are told of them. The key stands below `mcp.NAME`.
pub static MCP_SETTINGS: &[Setting<Server>] = &[
    special(
        "url",
        "Where the server is, if it speaks streamable HTTP",
        Special {
            form: Form::Text,
            accepts: "a URL, such as `http://localhost:3001/mcp`",
            default: None,
            set: |server, text, _| values::mcp_url(text).map(|value| server.url = value),
            get: |server| server.url.clone(),
        },
    ),
    special(
        "token",
        "Sent to it as `Authorization: Bearer`; never shown",
        Special {
            form: Form::Text,
            accepts: "letters, digits and punctuation",
            default: None,
            set: |server, text, _| values::api_key(text).map(|value| server.token = value),
            get: |server| values::hidden(server.token.is_some()),
        },
    )
    .secret(),
    special(
        "headers",
        "More headers for every request; never shown, as they may hold keys",
        Special {
            form: Form::List,
            accepts: "up to 50, such as `x-team: data`",
            default: None,
            set: |server, text, _| values::mcp_headers(text).map(|value| server.headers = value),
            get: |server| values::hidden(!server.headers.is_empty()),
        },
    )
    .secret(),
    special(
        "command",
        "The program to run, if the server speaks over its standard input and output",
        Special {
            form: Form::Text,
            accepts: "a name that is looked for in `PATH`, or a file",
            default: None,
            set: |server, text, folder| {
                values::program(text, folder).map(|value| server.command = value)
            },
            get: |server| server.command.display().to_string(),
        },
    ),
    special(
        "args",
        "What the program is given on its command line; in the environment as a JSON array",
        Special {
            form: Form::Texts,
            accepts: "up to 100 strings",
            default: None,
            set: |server, text, _| values::texts(text).map(|value| server.args = value),
            get: |server| values::texts_text(&server.args),
        },
    ),
    special(
        "env",
        "Variables for the program, besides `PATH` and `HOME`, which are all it is given of ours; in the environment as a JSON array; never shown",
        Special {
            form: Form::Texts,
            accepts: "up to 100, such as `API_KEY=…`",
            default: None,
            set: |server, text, _| values::variables(text).map(|value| server.env = value),
            get: |server| values::hidden(!server.env.is_empty()),
        },
    )
    .secret(),
    special(
        "tools",
        "Which of its tools may be called; must be set, `*` allows all",
        Special {
            form: Form::List,
            accepts: "up to 100 patterns with `*` and `?`",
            default: None,
            set: |server, text, _| values::server_tools(text).map(|value| server.tools = value),
            get: |server| server.tools.join(","),
        },
    ),
    Setting::new(
        "required",
        "Whether dragoman starts only if the server can be reached",
        Kind::Switch(|server| &mut server.required),
    ),
    duration(
        "connect_timeout",
        "Longest time until the server is connected and has told its tools",
        |server| &mut server.connect_timeout,
        300,
    ),
    duration(
        "timeout",
        "Longest time one call may take; `agent.tool_timeout` bounds it too",
        |server| &mut server.timeout,
        3_600,
    ),
    Setting::new(
        "result_bytes",
        "Longest result of a call; `agent.tool_result_bytes` bounds it too",
        Kind::Size(|server| &mut server.result_bytes, KIB..=4 * MIB),
    ),
];

const fn special(
    key: &'static str,
    help: &'static str,
    special: Special<Server>,
) -> Setting<Server> {
    Setting::new(key, help, Kind::Special(special))
}

const fn duration(
    key: &'static str,
    help: &'static str,
    field: fn(&mut Server) -> &mut Duration,
    most: u64,
) -> Setting<Server> {
    Setting::new(key, help, Kind::Duration(field, ms(100)..=seconds(most)))
}
