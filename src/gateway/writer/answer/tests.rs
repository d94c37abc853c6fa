use serde_json::Value;

use super::*;

const INTERVAL: Duration = Duration::from_millis(40);

/// A connection's answer, and the frames that it sent.
struct Heard {
    answer: Answer,
    turn: TurnId,
}

impl Heard {
    fn new(partials: Partials) -> Self {
        Self {
            answer: Answer::new(partials),
            turn: TurnId::random(),
        }
    }

    fn say(&mut self, change: TextChange) {
        self.answer.apply(self.turn, TraceId(1), change, INTERVAL);
    }

    /// `=text` for a partial with the whole text, `+text` for one with what is new.
    fn next(&mut self) -> Option<String> {
        let (turn, frame) = self.answer.next_frame()?;
        assert_eq!(turn, self.turn);
        let frame: Value = serde_json::from_str(&frame).unwrap();
        match (frame["content"].as_str(), frame["delta"].as_str()) {
            (Some(whole), None) => Some(format!("={whole}")),
            (None, Some(more)) => Some(format!("+{more}")),
            _ => panic!("{frame}"),
        }
    }

    fn replaced(&mut self, text: &str) -> Option<String> {
        self.say(TextChange::Replace(text.to_owned()));
        self.next()
    }

    fn appended(&mut self, text: &str) -> Option<String> {
        self.say(TextChange::Append(text.to_owned()));
        self.next()
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_text_is_due_at_once_and_the_next_after_the_interval() {
    let mut heard = Heard::new(Partials::Cumulative);
    heard.say(TextChange::Replace("a".to_owned()));
    assert_eq!(heard.answer.due, Some(Instant::now()));
    assert_eq!(heard.next().as_deref(), Some("=a"));
    heard.say(TextChange::Append("b".to_owned()));
    let due = Instant::now() + INTERVAL;
    assert_eq!(heard.answer.due, Some(due));
    tokio::time::advance(Duration::from_millis(10)).await;
    heard.say(TextChange::Append("c".to_owned()));
    assert_eq!(heard.answer.due, Some(due));
    assert_eq!(heard.next().as_deref(), Some("=abc"));
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_not_due_and_another_turn_begins_anew() {
    for partials in [Partials::Cumulative, Partials::Delta] {
        let mut heard = Heard::new(partials);
        assert_eq!(heard.replaced("a").as_deref(), Some("=a"));
        assert_eq!(heard.appended(""), None);
        assert_eq!(heard.answer.due, None);
        heard.turn = TurnId::random();
        assert_eq!(heard.replaced("z").as_deref(), Some("=z"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delta_is_all_that_is_new_and_nothing_else_is_kept() {
    let mut heard = Heard::new(Partials::Delta);
    assert_eq!(heard.replaced("žltý ").as_deref(), Some("=žltý "));
    heard.say(TextChange::Append("k".to_owned()));
    assert_eq!(heard.appended("ôň").as_deref(), Some("+kôň"));
    assert_eq!(heard.appended("!").as_deref(), Some("+!"));
    assert_eq!(heard.answer.text.capacity(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_said_anew_goes_on_where_the_client_is() {
    let mut delta = Heard::new(Partials::Delta);
    let mut cumulative = Heard::new(Partials::Cumulative);
    for heard in [&mut delta, &mut cumulative] {
        heard.replaced("abc");
        heard.appended("def");
        assert_eq!(heard.replaced("abcdef"), None, "the same");
        assert_eq!(heard.replaced("ab"), None, "it would shrink");
        assert_eq!(heard.answer.due, None);
        assert_eq!(heard.appended("cd"), None, "it is still shorter");
    }
    assert_eq!(delta.appended("efgh").as_deref(), Some("+gh"));
    assert_eq!(cumulative.appended("efgh").as_deref(), Some("=abcdefgh"));
    assert_eq!(delta.replaced("abcdefghi").as_deref(), Some("+i"));
    assert_eq!(delta.appended("j").as_deref(), Some("+j"));
}

#[tokio::test(start_paused = true)]
async fn another_text_is_sent_whole_once_it_is_as_long() {
    for partials in [Partials::Cumulative, Partials::Delta] {
        let mut heard = Heard::new(partials);
        heard.replaced("abc");
        heard.appended("def");
        assert_eq!(heard.replaced("abX"), None);
        assert_eq!(heard.appended("Yef").as_deref(), Some("=abXYef"));
        assert_eq!(
            heard.replaced("something else").as_deref(),
            Some("=something else")
        );
        // A character that differs where the client's text ended.
        assert_eq!(
            heard.replaced("something elsß!").as_deref(),
            Some("=something elsß!")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn text_that_was_due_is_not_lost_when_it_is_said_anew() {
    let mut heard = Heard::new(Partials::Delta);
    heard.replaced("abc");
    heard.say(TextChange::Append("def".to_owned()));
    heard.say(TextChange::Replace("abcde".to_owned()));
    assert_eq!(heard.next().as_deref(), Some("+de"));
}
