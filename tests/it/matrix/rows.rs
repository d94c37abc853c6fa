//! What is right, case by case.

use super::Api;

/// What is to become of a case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) events: &'static str,
    pub(super) asked: usize,
    /// Its tokens are known.
    pub(super) counts: bool,
    /// They are those of the turn, if it has an answer.
    pub(super) is_used: bool,
    pub(super) frames: &'static str,
    pub(super) told: &'static str,
    pub(super) asked_in_turn: usize,
}

/// A case.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) case: &'static str,
    openai: Expected,
    anthropic: Expected,
}

// === impl Row ===

impl Row {
    pub(super) fn of(&self, api: Api) -> &Expected {
        match api {
            Api::OpenAi => &self.openai,
            Api::Anthropic => &self.anthropic,
        }
    }

    /// The same with other events of the model.
    const fn ends(mut self, events: &'static str) -> Self {
        self.openai.events = events;
        self.anthropic.events = events;
        self
    }

    /// The same with other words by Anthropic.
    const fn but_anthropic(mut self, told: &'static str) -> Self {
        self.anthropic.told = told;
        self
    }

    /// The same without tokens.
    const fn uncounted(mut self) -> Self {
        self.openai.counts = false;
        self.anthropic.counts = false;
        self.unused()
    }

    /// The same without the tokens in the turn, which ends before they come.
    const fn unused(mut self) -> Self {
        self.openai.is_used = false;
        self.anthropic.is_used = false;
        self
    }

    /// The same with another end of the turn.
    const fn turns(mut self, told: &'static str, asked: usize) -> Self {
        self.openai.told = told;
        self.anthropic.told = told;
        self.openai.asked_in_turn = asked;
        self.anthropic.asked_in_turn = asked;
        self
    }
}

/// The same, whatever API is spoken.
const fn both(case: &'static str, expected: Expected) -> Row {
    Row {
        case,
        openai: expected,
        anthropic: expected,
    }
}

/// An answer that is whole: by the model alone, and in a turn.
const fn answered(case: &'static str, told: &'static str) -> Row {
    both(
        case,
        Expected {
            events: "text, Stop",
            asked: 1,
            counts: true,
            is_used: true,
            frames: "user, agent_partial, agent",
            told,
            asked_in_turn: 1,
        },
    )
}

/// The honest model: it calls a tool if it is offered one.
const fn honest(case: &'static str, retries: usize) -> Row {
    both(
        case,
        Expected {
            events: "text, Stop",
            asked: 1 + retries,
            counts: true,
            is_used: true,
            frames: "user, tool, agent_partial, agent",
            told: "I am a mock model, and was asked: “Which tables are there?”",
            asked_in_turn: 2 + retries,
        },
    )
}

/// Nothing but an error.
const fn refused(
    case: &'static str,
    events: &'static str,
    told: &'static str,
    retries: usize,
) -> Row {
    both(
        case,
        Expected {
            events,
            asked: 1 + retries,
            counts: false,
            is_used: false,
            frames: "user, error",
            told,
            asked_in_turn: 1 + retries,
        },
    )
}

/// Half an answer, which people have seen, and an error.
const fn broken(case: &'static str, events: &'static str, told: &'static str) -> Row {
    both(
        case,
        Expected {
            events,
            asked: 1,
            counts: false,
            is_used: false,
            frames: "user, agent_partial, error",
            told,
            asked_in_turn: 1,
        },
    )
}

/// Calls, whose results are answered honestly.
const fn calls(case: &'static str, events: &'static str, frames: &'static str) -> Row {
    both(
        case,
        Expected {
            events,
            asked: 1,
            counts: true,
            is_used: true,
            frames,
            told: "I am a mock model, and was asked: “Which tables are there?”",
            asked_in_turn: 2,
        },
    )
}

const WHOLE: &str = "There it is: a whole answer, after all.";
const TOO_MANY: &str = "gets too many questions. Ask again in a minute.";
const KEY: &str = "does not accept the key. Whoever runs dragoman has to check";
const TOO_LONG: &str = "the conversation is too long for the model. Start a new one";
const FILTER: &str = "content filter refused the question or the answer. Ask in other words.";
const BUSY: &str = "has too much to do. Ask again in a minute.";
const CUT: &str = "the model's answer was cut before its end. Ask again.";
const SILENT: &str = "silence in the middle of the answer";
const USED: &str = "user, tool, agent_partial, agent";

pub(super) const ROWS: &[Row] = &[
    honest("honest", 0),
    // Refused.
    refused("429", "error: rate_limited", TOO_MANY, 1),
    honest("429-then-ok", 1),
    refused("429-in-a-minute", "error: rate_limited", TOO_MANY, 0),
    refused("429-without-time", "error: rate_limited", TOO_MANY, 1),
    refused(
        "429-quota",
        "error: quota_exhausted",
        "has nothing left to spend",
        0,
    ),
    refused(
        "400-credit",
        "error: quota_exhausted",
        "has nothing left to spend",
        0,
    ),
    refused("401", "error: auth", KEY, 0),
    refused("403", "error: auth", KEY, 0),
    refused(
        "404",
        "error: not_found",
        "there is no model 404 at 127.0.0.1",
        0,
    ),
    refused(
        "400",
        "error: bad_request",
        "does not take the request (Unrecognized request argument",
        0,
    ),
    refused("400-context", "error: context_length", TOO_LONG, 0),
    refused("400-context-vllm", "error: context_length", TOO_LONG, 0),
    refused(
        "400-context-anthropic",
        "error: context_length",
        TOO_LONG,
        0,
    ),
    refused("400-context-llama", "error: context_length", TOO_LONG, 0),
    refused("400-context-litellm", "error: context_length", TOO_LONG, 0),
    refused("400-filter", "error: content_filter", FILTER, 0),
    refused(
        "integer-code",
        "error: server",
        "failed (the slot is not available). Ask again.",
        1,
    ),
    refused("500", "error: server", "failed (The server had an error", 1),
    honest("500-then-ok", 1),
    refused(
        "502-html",
        "error: server",
        "failed (status 502). Ask again.",
        1,
    ),
    refused("503", "error: overloaded", BUSY, 1),
    refused("529", "error: overloaded", BUSY, 1),
    refused("200-error", "error: overloaded", BUSY, 1),
    refused(
        "200-html",
        "error: protocol",
        "cannot be understood (it is no stream of events)",
        0,
    ),
    refused(
        "redirect",
        "error: protocol",
        "cannot be understood (status 307, a redirect)",
        0,
    ),
    // Late.
    refused(
        "hang-before-headers",
        "error: timeout",
        "took too long (no answer). Ask again.",
        1,
    ),
    broken("hang-mid-stream", "text, error: timeout", SILENT),
    refused(
        "keep-alive-for-ever",
        "error: timeout",
        "the time for one request is over",
        0,
    ),
    answered("slow-first-token", WHOLE),
    // Broken connections.
    broken("cut", "text, error: truncated", CUT),
    honest("cut-then-ok", 1),
    broken(
        "dropped",
        "text, error: transport",
        "the connection to the model at 127.0.0.1 broke",
    ),
    refused(
        "reset",
        "error: transport",
        "the connection to the model at 127.0.0.1 broke",
        1,
    ),
    broken(
        "reset-mid-stream",
        "text, error: transport",
        "the connection to the model at 127.0.0.1 broke",
    ),
    // Odd, but whole.
    answered("no-end-mark", WHOLE),
    answered("byte-by-byte", WHOLE),
    answered("byte-order-mark", WHOLE),
    answered("no-usage", WHOLE).uncounted(),
    answered("usage-with-choices", WHOLE),
    answered("thinking", WHOLE),
    answered("huge-event", "xxxx").unused(),
    refused(
        "endless-event",
        "error: protocol",
        "one event of it is too large",
        0,
    ),
    // Heard out for as long as the tests have patience; a turn ends at `agent.answer_bytes`.
    answered("endless", "and so on, ").ends("text").uncounted(),
    refused("silence", "Stop", "the model gave no answer. Ask again.", 0),
    answered("length", "The first half of an answer").ends("text, Length"),
    broken("filtered-mid-stream", "text, error: content_filter", FILTER),
    // Errors in the middle.
    broken(
        "error-mid-stream",
        "text, error: server",
        "failed (The server had an error",
    ),
    broken(
        "error-event-mid-stream",
        "text, error: server",
        "failed (Internal server error",
    ),
    broken("overloaded-mid-stream", "text, error: overloaded", BUSY),
    broken(
        "broken-chunk",
        "text, error: protocol",
        "cannot be understood (a chunk is wrong",
    )
    .but_anthropic("cannot be understood (an event is wrong"),
    // Calls.
    calls(
        "call",
        "text, calls: 1, ToolCalls",
        "user, agent_partial, tool, agent_partial, agent",
    ),
    calls("interleaved", "calls: 2, ToolCalls", USED),
    calls("same-index", "calls: 2, ToolCalls", USED),
    calls("no-index", "calls: 2, ToolCalls", USED),
    calls("unknown-tool", "calls: 1, ToolCalls", USED),
    calls("broken-arguments", "calls: 1, ToolCalls", USED),
    calls("50-calls", "calls: 50, ToolCalls", USED),
    refused("200-calls", "error: protocol", "it calls too many tools", 0),
    calls("calls-for-ever", "calls: 1, ToolCalls", "user, tool, error")
        .turns("no answer after 12 steps. Ask a narrower question.", 12),
];
