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
    /// Whether the terminal's cursor stands behind text.
    in_a_line: bool,
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
            in_a_line: false,
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
            // Who asks about approvals tells of them.
            Some(Body::ApprovalRequest(_) | Body::ApprovalDecision(_) | Body::User(_)) | None => {}
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
        if more.is_empty() {
            return Ok(());
        }
        self.printed.push_str(&more);
        self.in_a_line = !more.ends_with('\n');
        self.output.write_all(more.as_bytes())?;
        self.output.flush()
    }

    /// Asks for a line; what is noted next starts a new one.
    pub(super) fn prompt(&mut self, text: &str) -> io::Result<()> {
        let start = self.start_of_note();
        write!(self.notes, "{start}{text}")?;
        self.notes.flush()
    }

    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        let start = self.start_of_note();
        writeln!(self.notes, "{start}{}", harmless(text))
    }

    fn start_of_note(&mut self) -> &'static str {
        if self.shares_terminal && self.in_a_line {
            self.in_a_line = false;
            "\n"
        } else {
            ""
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::proto::{AgentMessage, Text, TurnError};

    fn text(change: Change) -> AskResponse {
        AskResponse {
            response: Some(Response::Text(Text {
                change: Some(change),
                ..Text::default()
            })),
        }
    }

    fn event(body: Body) -> AskResponse {
        AskResponse {
            response: Some(Response::Event(Event {
                body: Some(body),
                ..Event::default()
            })),
        }
    }

    fn agent(content: &str, finish: Finish) -> AskResponse {
        event(Body::Agent(AgentMessage {
            content: content.to_owned(),
            finish: finish.into(),
            ..AgentMessage::default()
        }))
    }

    /// Output, notes and outcome of these messages.
    fn played(
        shares_terminal: bool,
        messages: impl IntoIterator<Item = AskResponse>,
    ) -> (String, String, Option<Outcome>) {
        let (mut output, mut notes) = (Vec::new(), Vec::new());
        let mut answer = Answer::new(&mut output, &mut notes, shares_terminal);
        let mut outcome = None;
        for message in messages {
            assert_eq!(outcome, None, "a message after the end");
            outcome = answer.take(message).unwrap();
        }
        answer.close().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output), text(notes), outcome)
    }

    #[test]
    fn every_letter_is_printed_once() {
        let messages = [
            text(Change::Replace("There ".to_owned())),
            text(Change::Append("are ".to_owned())),
            text(Change::Replace("There are two".to_owned())),
            agent("There are two tables.", Finish::Completed),
        ];
        let (output, notes, outcome) = played(false, messages);
        assert_eq!(output, "There are two tables.\n");
        assert_eq!(notes, "");
        assert_eq!(outcome, Some(Outcome::Answered));
    }

    #[test]
    fn an_answer_without_any_text_before_it_is_printed() {
        let (output, ..) = played(false, [agent("Two.\n", Finish::Completed)]);
        assert_eq!(output, "Two.\n");
    }

    #[test]
    fn tools_and_errors_go_to_the_notes() {
        let call = ToolCall {
            name: "list_tables".to_owned(),
            arguments: "{\"schema\":\"dm\"}".to_owned(),
            ..ToolCall::default()
        };
        let result = ToolResult {
            name: "list_tables".to_owned(),
            content: "{\"error\":\"no such schema\"}".to_owned(),
            failed: true,
            ..ToolResult::default()
        };
        let error = TurnError {
            message: "the model does not answer: try again".to_owned(),
            ..TurnError::default()
        };
        let messages = || {
            [
                text(Change::Replace("Let me look".to_owned())),
                event(Body::ToolCall(call.clone())),
                event(Body::ToolResult(result.clone())),
                event(Body::Error(error.clone())),
            ]
        };
        let told = "tool list_tables {\"schema\":\"dm\"}\n\
                    tool list_tables failed: {\"error\":\"no such schema\"}\n\
                    the turn failed: the model does not answer: try again\n";
        let (output, notes, outcome) = played(false, messages());
        assert_eq!(output, "Let me look\n");
        assert_eq!(notes, told);
        assert_eq!(outcome, Some(Outcome::Failed));
    }

    #[test]
    fn a_note_does_not_start_in_the_middle_of_a_line_of_the_same_terminal() {
        let call = || event(Body::ToolCall(ToolCall::default()));
        let half_a_line = text(Change::Replace("half".to_owned()));
        let (_, notes, _) = played(true, [half_a_line, call(), call()]);
        assert_eq!(notes, "\ntool  \ntool  \n");
    }

    #[test]
    fn a_cancelled_answer_is_told_from_a_whole_one() {
        let (output, notes, outcome) = played(false, [agent("Half", Finish::Cancelled)]);
        assert_eq!(output, "Half\n");
        assert_eq!(notes, "cancelled: this is the text so far\n");
        assert_eq!(outcome, Some(Outcome::Answered));
    }

    #[test]
    fn an_answer_cannot_command_the_terminal() {
        let evil = "a\u{1b}]0;title\u{7}b\u{9b}31mc\r\n";
        let (output, ..) = played(false, [agent(evil, Finish::Completed)]);
        assert_eq!(output, "a]0;titleb31mc\n");
    }
}
