//! Calls that wait to be allowed, and whoever sits at the terminal.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::thread;

use tokio::sync::mpsc;
use tonic::transport::Channel;

use super::super::output::harmless;
use super::answer::Answer;
use crate::rpc::proto::ask_response::Response;
use crate::rpc::proto::chat_client::ChatClient;
use crate::rpc::proto::event::Body;
use crate::rpc::proto::{ApprovalRequest, AskResponse, DecideApprovalRequest, Decision};

/// Lines that were typed and not looked at yet.
const LINES: usize = 4;

/// Calls that wait to be allowed. The oldest is asked about.
#[derive(Debug)]
pub(super) struct Approvals {
    client: ChatClient<Channel>,
    typist: Typist,
    waiting: VecDeque<Waiting>,
}

/// Whoever sits there.
#[derive(Debug)]
pub(super) enum Typist {
    Nobody,
    /// Somebody at a terminal, of which nothing was read yet: a program in the background must not read from it.
    Terminal,
    /// The lines that are typed.
    Lines(mpsc::Receiver<String>),
}

#[derive(Debug)]
struct Waiting {
    turn_id: String,
    call_id: String,
    name: String,
}

// === impl Approvals ===

impl Approvals {
    pub(super) fn new(client: ChatClient<Channel>, typist: Typist) -> Self {
        Self {
            client,
            typist,
            waiting: VecDeque::new(),
        }
    }

    /// Looks at a message: tells of and asks about a call that waits, or forgets one that does not any more.
    pub(super) fn take(
        &mut self,
        message: &AskResponse,
        answer: &mut Answer<impl Write, impl Write>,
    ) -> io::Result<()> {
        let Some(Response::Event(event)) = &message.response else {
            return Ok(());
        };
        match &event.body {
            Some(Body::ApprovalRequest(request)) => {
                self.waiting.push_back(Waiting {
                    turn_id: event.turn_id.clone(),
                    call_id: request.call_id.clone(),
                    name: request.name.clone(),
                });
                answer.note(&format!("tool {} waits to be allowed", request.name))?;
                if matches!(self.typist, Typist::Nobody) {
                    return answer.note(&how_to_allow(answer.session(), &event.turn_id, request));
                }
                if self.waiting.len() == 1 {
                    self.ask(answer)?;
                }
            }
            Some(Body::ApprovalDecision(decided)) => {
                answer.note(told(decided.decision()))?;
                let asked = self.waiting.front().map(|first| first.call_id.clone());
                self.waiting
                    .retain(|waiting| waiting.call_id != decided.call_id);
                // It may have been decided elsewhere.
                if asked.is_some_and(|asked| asked == decided.call_id) {
                    self.ask(answer)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Waits for the next line that is typed while somebody is asked.
    pub(super) async fn line(&mut self) -> String {
        if let Typist::Lines(lines) = &mut self.typist
            && !self.waiting.is_empty()
        {
            if let Some(line) = lines.recv().await {
                return line;
            }
            self.typist = Typist::Nobody;
        }
        std::future::pending().await
    }

    /// Takes a line as the answer to what was asked.
    pub(super) async fn typed(
        &mut self,
        line: &str,
        answer: &mut Answer<impl Write, impl Write>,
    ) -> io::Result<()> {
        // Nothing that only looks like a yes is one.
        let approved = match line.trim().to_lowercase().as_str() {
            "y" | "yes" => true,
            "n" | "no" => false,
            _ => return self.ask(answer),
        };
        let Some(waiting) = self.waiting.front() else {
            return Ok(());
        };
        let request = DecideApprovalRequest {
            session_id: answer.session().unwrap_or_default().to_owned(),
            turn_id: waiting.turn_id.clone(),
            call_id: waiting.call_id.clone(),
            approved,
        };
        // What was decided comes as an event.
        match self.client.decide_approval(request).await {
            Ok(_) => Ok(()),
            Err(status) => answer.note(&format!("not taken: {}", status.message())),
        }
    }

    /// Asks about the oldest call.
    fn ask(&mut self, answer: &mut Answer<impl Write, impl Write>) -> io::Result<()> {
        let Some(waiting) = self.waiting.front() else {
            return Ok(());
        };
        if matches!(self.typist, Typist::Terminal) {
            self.typist = Typist::Lines(read_lines());
        }
        answer.prompt(&format!("Allow {}? y or n: ", harmless(&waiting.name)))
    }
}

// === impl Typist ===

impl Typist {
    /// Who sits at the terminal, if this runs at one.
    pub(super) fn find() -> Self {
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            Self::Terminal
        } else {
            Self::Nobody
        }
    }
}

/// A thread of its own, which nobody waits for: what it reads from cannot be told to stop.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(LINES);
    let reading = move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    };
    drop(
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(reading),
    );
    lines
}

fn told(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "the call was allowed",
        Decision::Denied => "the call was denied",
        Decision::TimedOut => "nobody allowed the call in time: it is not run",
        Decision::Unspecified => "the call does not wait any more",
    }
}

fn how_to_allow(session: Option<&str>, turn_id: &str, request: &ApprovalRequest) -> String {
    format!(
        "to allow or deny it, call DecideApproval with session_id {}, turn_id {turn_id}, call_id {}, or open the session \
         on the page",
        session.unwrap_or_default(),
        request.call_id
    )
}
