use std::io::{self, Write};

use super::super::output::harmless;
use crate::rpc::proto::ask_response::Response;
use crate::rpc::proto::event::Body;
use crate::rpc::proto::text::Change;
use crate::rpc::proto::{Accepted, AskResponse, Event, Finish, ToolCall, ToolResult};

/// Longest piece of a tool's arguments that is printed, in characters.
const SHOWN_ARGUMENTS: usize = 200;

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With an answer.
    Answered,
    /// With an error.
    Failed,
}

/// Prints a turn: its text on `output`, all else on `notes`.
#[derive(Debug)]
pub(super) struct Answer<Output: Write, Notes: Write> {
    output: Output,
    notes: Notes,
    /// Whether notes share a terminal with the text, so that they must not start in the middle of a
    /// line.
    shares_terminal: bool,
    /// The text that was printed.
    printed: String,
    session: Option<String>,
}

// === impl Answer ===

impl<Output: Write, Notes: Write> Answer<Output, Notes> {
    pub(super) fn new(output: Output, notes: Notes, shares_terminal: bool) -> Self {
        Self {
            output,
            notes,
            shares_terminal,
            printed: String::new(),
            session: None,
        }
    }

    /// The session of the turn, as far as it is known.
    pub(super) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Prints one message; the outcome once the turn has ended.
    pub(super) fn take(&mut self, message: AskResponse) -> io::Result<Option<Outcome>> {
        match message.response {
            Some(Response::Accepted(accepted)) => self.accepted(&accepted)?,
            Some(Response::Queued(queued)) => {
                self.note(&format!("waiting, {} before this question", queued.ahead))?;
            }
            Some(Response::Text(text)) => match text.change {
                Some(Change::Replace(whole)) => self.text_is(&whole)?,
                Some(Change::Append(more)) => self.append(&more)?,
                None => {}
            },
            Some(Response::Event(event)) => return self.event(event),
            None => {}
        }
        Ok(None)
    }

    /// Ends the last line.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if !self.printed.is_empty() && !self.printed.ends_with('\n') {
            self.append("\n")?;
        }
        self.output.flush()
    }

    fn event(&mut self, event: Event) -> io::Result<Option<Outcome>> {
        match event.body {
            Some(Body::ToolCall(call)) => self.tool_call(&call)?,
            Some(Body::ToolResult(result)) => self.tool_result(&result)?,
            Some(Body::Agent(agent)) => {
                let finish = agent.finish();
                self.text_is(&agent.content)?;
                self.close()?;
                match finish {
                    Finish::Cancelled => self.note("cancelled: this is the text so far")?,
                    Finish::Truncated => self.note("cut off: the answer reached its limit")?,
                    Finish::Completed | Finish::Unspecified => {}
                }
                return Ok(Some(Outcome::Answered));
            }
            Some(Body::Error(error)) => {
                self.close()?;
                self.note(&format!("the turn failed: {}", error.message))?;
                return Ok(Some(Outcome::Failed));
            }
            Some(Body::User(_)) | None => {}
        }
        Ok(None)
    }

    fn accepted(&mut self, accepted: &Accepted) -> io::Result<()> {
        self.session = Some(harmless(&accepted.session_id));
        self.note(&format!(
            "session {}, trace {}",
            accepted.session_id, accepted.trace_id
        ))
    }

    fn tool_call(&mut self, call: &ToolCall) -> io::Result<()> {
        let arguments: String = call.arguments.chars().take(SHOWN_ARGUMENTS).collect();
        let more = if arguments.len() < call.arguments.len() {
            "…"
        } else {
            ""
        };
        self.note(&format!("tool {} {arguments}{more}", call.name))
    }

    fn tool_result(&mut self, result: &ToolResult) -> io::Result<()> {
        if result.failed {
            self.note(&format!("tool {} failed: {}", result.name, result.content))
        } else {
            Ok(())
        }
    }

    /// Makes the whole text what it is now; what was printed is a prefix of it, says the protocol.
    fn text_is(&mut self, whole: &str) -> io::Result<()> {
        let whole = harmless(whole);
        if let Some(rest) = whole.strip_prefix(&self.printed) {
            return self.append(rest);
        }
        // Printed is printed: start again on a new line.
        self.close()?;
        self.printed.clear();
        self.append(&whole)
    }

    fn append(&mut self, more: &str) -> io::Result<()> {
        let more = harmless(more);
        self.printed.push_str(&more);
        self.output.write_all(more.as_bytes())?;
        self.output.flush()
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        let in_a_line = !self.printed.is_empty() && !self.printed.ends_with('\n');
        let start = if self.shares_terminal && in_a_line {
            "\n"
        } else {
            ""
        };
        writeln!(self.notes, "{start}{}", harmless(text))
    }
}
