//! The program itself: exit codes, and what goes to which stream.

use std::process::{Command, Output};

use dragoman::config::SETTINGS;

use super::Sources;

/// Runs `dragoman` with this environment only.
fn dragoman(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn config_check_says_what_was_read() {
    let sources = Sources::new().file("http = \"127.0.0.1:0\"\nguide_pace = \"0s\"");
    let path = sources.path();
    let path = path.to_str().unwrap();
    let run = dragoman(
        &["config", "check", "--config", path, "--model", "guide"],
        &[("DRAGOMAN_GRPC", "127.0.0.1:0")],
    );
    assert_eq!(run.status.code(), Some(0));
    assert_eq!(
        text(&run.stdout),
        format!(
            "ok: {} settings: 2 from {path}, 1 from the environment, 1 from flags, \
             {} with their default\n",
            SETTINGS.len(),
            SETTINGS.len() - 4
        )
    );
    assert_eq!(text(&run.stderr), "");
}

#[test]
fn a_wrong_configuration_ends_every_command_that_needs_one_with_78() {
    for command in [
        &["config", "check"][..],
        &["config", "show"],
        &["serve"],
        &[],
    ] {
        let run = dragoman(command, &[("DRAGOMAN_HTPP", "x"), ("DRAGOMAN_GRPC", "x")]);
        assert_eq!(run.status.code(), Some(78), "{command:?}");
        assert_eq!(text(&run.stdout), "");
        assert_eq!(
            text(&run.stderr),
            "dragoman: 2 problems in the configuration:\n  \
             environment DRAGOMAN_HTPP: unknown variable: did you mean `DRAGOMAN_HTTP`?\n  \
             environment DRAGOMAN_GRPC: grpc = \"x\": write host and port, such as \
             127.0.0.1:8000\n"
        );
    }
}

#[test]
fn config_show_can_be_loaded_again() {
    let first = dragoman(
        &["config", "show", "--http", "[::1]:1"],
        &[("HOME", "/home/ada")],
    );
    assert_eq!(first.status.code(), Some(0));
    let sources = Sources::new().file(&text(&first.stdout));
    let path = sources.path();
    let path = path.to_str().unwrap();
    let second = dragoman(&["config", "show", "--config", path], &[]);
    let values = |output: &Output| -> Vec<String> {
        let lines = text(&output.stdout);
        let values = lines
            .lines()
            .map(|line| line.split("  #").next().unwrap_or(line));
        values.map(|value| value.trim_end().to_owned()).collect()
    };
    assert_eq!(values(&first), values(&second));
    assert!(text(&first.stdout).contains("# flag --http"));
}

#[test]
fn version_and_help_are_no_errors() {
    let version = dragoman(&["--version"], &[]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(
        text(&version.stdout),
        format!("dragoman {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = dragoman(&["--help"], &[]);
    assert_eq!(help.status.code(), Some(0));
    for words in [
        "--http <HOST:PORT>",
        "[default: 127.0.0.1:8000]",
        "ask",
        "config",
    ] {
        assert!(text(&help.stdout).contains(words), "{words}");
    }
    assert_eq!(dragoman(&["srve"], &[]).status.code(), Some(2));
}

#[test]
fn asking_where_nothing_listens_says_what_to_do() {
    // Bound and dropped: nothing listens there now.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = format!("http://{free}");
    let run = dragoman(
        &["ask", "Which tables are there?", "--server", &server],
        &[],
    );
    assert_eq!(run.status.code(), Some(69));
    assert_eq!(text(&run.stdout), "");
    assert_eq!(
        text(&run.stderr),
        format!(
            "dragoman: cannot connect to {server}: is dragoman running? --server names \
             another address\n"
        )
    );
    let run = dragoman(&["ask", "hello", "--server", "localhost:50051"], &[]);
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(
        text(&run.stderr),
        "dragoman: --server \"localhost:50051\" is not like http://127.0.0.1:50051\n"
    );
}

#[test]
fn asking_what_does_not_speak_grpc_says_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut start = [0; 64];
        std::io::Read::read(&mut stream, &mut start).unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let run = dragoman(&["ask", "hello", "--server", &server], &[]);
    other.join().unwrap();
    assert_eq!(run.status.code(), Some(69));
    assert_eq!(text(&run.stdout), "");
    assert_eq!(
        text(&run.stderr),
        format!(
            "dragoman: no gRPC answer from {server}: is that the gRPC address that dragoman \
             printed?\n"
        )
    );
}
