//! Sections that somebody names: MCP servers.

use std::path::PathBuf;
use std::time::Duration;

use dragoman::config::Origin;
use dragoman::tools::mcp::Server;

use super::{Sources, environment};

/// Every setting of a server, with a value that is not its default.
const SERVERS: &str = r#"
[mcp.docs]
url = "https://docs.example/mcp"
token = "not-to-be-seen"
headers = ["x-team: not-to-be-seen", "x-more: a=b:c"]
tools = ["search", "read_*"]
required = true
connect_timeout = "3s"
timeout = "4s"
result_bytes = "5KiB"

[mcp.git-hub]
command = "npx"
args = ["-y", "server, with a comma", "say \"hi\""]
env = ["KEY=not-to-be-seen", "EMPTY="]
tools = ["*"]
"#;

fn server(sources: &Sources, name: &str) -> Server {
    sources.load().unwrap().config.mcp.servers[name].clone()
}

#[test]
fn every_setting_of_a_server_is_read() {
    let sources = Sources::new().file(SERVERS);
    // Taken apart without `..`: a new field does not compile until it has a line.
    let Server {
        url,
        token,
        headers,
        command: _,
        args: _,
        env: _,
        tools,
        required,
        connect_timeout,
        timeout,
        result_bytes,
    } = server(&sources, "docs");
    assert_eq!(url, "https://docs.example/mcp");
    assert!(token.is_some() && required);
    assert_eq!(headers.len(), 2);
    assert_eq!(tools, ["search", "read_*"]);
    assert_eq!(connect_timeout, Duration::from_secs(3));
    assert_eq!(timeout, Duration::from_secs(4));
    assert_eq!(result_bytes, 5 * 1024);

    let git_hub = server(&sources, "git-hub");
    assert_eq!(git_hub.command, PathBuf::from("npx"));
    assert_eq!(git_hub.args, ["-y", "server, with a comma", "say \"hi\""]);
    let names: Vec<_> = git_hub.env.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["KEY", "EMPTY"]);
    assert!(!git_hub.required);
    assert_eq!(git_hub.timeout, Server::default().timeout);
}

#[test]
fn the_environment_adds_to_a_server_and_makes_one() {
    let sources = Sources::new()
        .file(SERVERS)
        .variable("PATH", "/usr/bin")
        .variable("DRAGOMAN_MCP_GIT_HUB_TIMEOUT", "9s")
        .variable("DRAGOMAN_MCP_GIT_HUB_CONNECT_TIMEOUT", "8s")
        .variable("DRAGOMAN_MCP_NEW_URL", "http://localhost:1/mcp")
        .variable("DRAGOMAN_MCP_NEW_TOOLS", "a, b")
        .variable("DRAGOMAN_MCP_NEW_TOKEN", "not-to-be-seen");
    let git_hub = server(&sources, "git-hub");
    assert_eq!(git_hub.timeout, Duration::from_secs(9));
    assert_eq!(git_hub.connect_timeout, Duration::from_secs(8));
    assert_eq!(server(&sources, "new").tools, ["a", "b"]);
    let loaded = sources.load().unwrap();
    assert_eq!(
        loaded.origin("mcp.new.url"),
        &environment("DRAGOMAN_MCP_NEW_URL")
    );
    let path = sources.path();
    assert_eq!(
        loaded.origin("mcp.docs.tools"),
        &Origin::File { path, line: 6 }
    );
    let inherited = loaded.config.mcp.inherited;
    assert_eq!(inherited.path.unwrap(), "/usr/bin");
    assert_eq!(inherited.home, None);
}

#[test]
fn what_is_shown_is_read_again_and_shows_no_secret() {
    let loaded = Sources::new().file(SERVERS).load().unwrap();
    let shown = loaded.show();
    assert!(!shown.contains("not-to-be-seen"), "{shown}");
    assert!(!format!("{:?}", loaded.config).contains("not-to-be-seen"));
    let mut again = Sources::new().file(&shown).load().unwrap().config;
    for (name, server) in &mut again.mcp.servers {
        let hidden = &loaded.config.mcp.servers[name];
        assert_eq!((&server.token, server.headers.len()), (&None, 0));
        assert_eq!(server.env.len(), 0);
        server.token.clone_from(&hidden.token);
        server.headers.clone_from(&hidden.headers);
        server.env.clone_from(&hidden.env);
    }
    assert_eq!(again, loaded.config);
}

#[test]
fn a_program_with_a_slash_is_relative_to_the_file() {
    let file = "[mcp.a]\ncommand = \"bin/server\"\ntools = [\"*\"]";
    let sources = Sources::new().file(file);
    let program = sources.folder.path().join("bin/server");
    assert_eq!(server(&sources, "a").command, program);
}

#[test]
fn what_is_wrong_with_servers_is_told_at_once() {
    let file = r#"
[mcp]
url = "http://a/mcp"

[mcp.My_Server]
url = "http://a/mcp"

[mcp.a]
ulr = "http://a/mcp"

[mcp.b]
url = "http://b:not-to-be-seen@b/mcp"
tools = "*"

[mcp.c]
url = "http://c/mcp"
args = ["x"]

[mcp.d]
command = "d"
token = "not to be seen"

[mcp.e]
command = "e"
headers = ["a: b"]
tools = ["*"]

[mcp.f]
command = "f"
tools = ["*"]
env = ["not-to-be-seen"]

[mcp.g]
command = "g"

[mcp.h]
url = "http://h/mcp"
tools = ["LONG"]
"#;
    let file = file.replace("LONG", &"x".repeat(129));
    let sources = Sources::new()
        .file(&file)
        .variable("DRAGOMAN_MCP_G_TOLS", "*")
        .variable("DRAGOMAN_MCP__URL", "*");
    assert_eq!(
        sources.refused(),
        "\
13 problems in the configuration:
  environment DRAGOMAN_MCP_G_TOLS: unknown variable: `dragoman config show` lists every setting, remove this variable
  environment DRAGOMAN_MCP__URL: unknown variable: `dragoman config show` lists every setting, remove this variable
  dragoman.toml:3: unknown key `mcp.url`: did you mean `mcp.NAME.url`?
  dragoman.toml:5: mcp = \"My_Server\": a server's name has up to 24 lower-case letters, digits and -, \
and begins with a letter
  dragoman.toml:9: unknown key `mcp.a.ulr`: did you mean `mcp.a.url`?
  dragoman.toml:12: mcp.b.url = (not repeated, it has an `@`): must not hold a password: set its token or headers
  dragoman.toml:13: mcp.b.tools = \"\\\"*\\\"\": write an array of strings, not a TOML string
  dragoman.toml:21: mcp.d.token = \"(not repeated)\": a key has no spaces and only ASCII characters
  dragoman.toml:31: mcp.f.env = \"(not repeated)\": write each variable like NAME=value
  dragoman.toml:38: mcp.h.tools = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"…: \
a pattern has 1 to 128 characters, in which * stands for any text and ? for one character
  mcp.c: args and env are for a server with a command, this one has a url
  mcp.e: token and headers are for a server with a url, this one has a command
  mcp.g: no tool of it may be called: set tools to names or patterns, [\"*\"] allows all"
    );
}
