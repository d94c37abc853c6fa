//! The model: whatever it is asked, it sends the answer that the path of the request calls for.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{PIECES, TOGETHER};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// Serves until it is killed; its address is its first line.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let answers: [Arc<Vec<Vec<u8>>>; 2] = [chunks(&openai()).into(), chunks(&anthropic()).into()];
    // A reader that has what it wants opens another connection, whatever became of the last.
    let mut connections = JoinSet::new();
    loop {
        let (mut socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let answers = answers.clone();
        // An error is that the reader has gone.
        connections.spawn(async move { answer(&mut socket, &answers).await.is_ok() });
        while connections.try_join_next().is_some() {}
    }
}

/// Answers requests until the connection is closed.
async fn answer(socket: &mut TcpStream, answers: &[Arc<Vec<Vec<u8>>>; 2]) -> anyhow::Result<()> {
    loop {
        let request = request(socket).await?;
        let [openai, anthropic] = answers;
        let chunks = if request.contains("/v1/messages ") {
            anthropic
        } else {
            openai
        };
        socket.write_all(HEAD.as_bytes()).await?;
        for chunk in chunks.iter() {
            socket.write_all(chunk).await?;
        }
        socket.write_all(b"0\r\n\r\n").await?;
    }
}

/// The head of the next request, with the body taken off the connection.
async fn request(socket: &mut TcpStream) -> anyhow::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).await?;
        head.extend(byte);
        ensure!(head.len() < 16 * 1024, "an endless request");
    }
    let head = String::from_utf8(head)?.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.context("a length")?.parse()?];
    socket.read_exact(&mut body).await?;
    Ok(head)
}

/// As they are sent: so many events in a chunk.
fn chunks(events: &[String]) -> Vec<Vec<u8>> {
    let chunk = |events: &[String]| {
        let data = events.concat();
        format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
    };
    events.chunks(TOGETHER).map(chunk).collect()
}

/// Chunks of the length and with the fields that OpenAI's have.
fn openai() -> Vec<String> {
    let chunk = |choices: &str, rest: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
             \"model\":\"small-2026-01-01\",\"system_fingerprint\":\"fp_01\",\"choices\":[{choices}]{rest}}}\n\n"
        )
    };
    let piece = chunk(
        "{\"index\":0,\"delta\":{\"content\":\"word\"},\"finish_reason\":null}",
        "",
    );
    let mut events = vec![piece; PIECES];
    events.push(chunk(
        "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}",
        "",
    ));
    events.push(chunk(
        "",
        ",\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9}",
    ));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// The events of a text, as Anthropic sends them.
fn anthropic() -> Vec<String> {
    let event =
        |kind: &str, rest: &str| format!("event: {kind}\ndata: {{\"type\":\"{kind}\"{rest}}}\n\n");
    let start = ",\"message\":{\"id\":\"msg_01\",\"model\":\"small-2026-01-01\",\"usage\":{\"input_tokens\":9}}";
    let piece = event(
        "content_block_delta",
        ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"word\"}",
    );
    let mut events = vec![event("message_start", start)];
    events.extend(vec![piece; PIECES]);
    let end = ",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}";
    events.extend([event("message_delta", end), event("message_stop", "")]);
    events
}
