//! Questions during a turn, and streams during a drain.

use dragoman::rpc::proto::WhenBusy;

use super::*;

fn with(content: &str, request_id: &str, when_busy: WhenBusy) -> Say {
    Say::Ask(Question {
        when_busy: when_busy.into(),
        ..question(content, request_id)
    })
}

#[tokio::test]
async fn a_question_that_is_not_to_wait_is_refused() {
    let app = TestApp::start().await;
    let mut client = Conversation::start(&app, open("reject", None)).await;
    client.said().await;
    client.say(with("hang", "1", WhenBusy::Reject)).await;
    while !matches!(client.said().await, Said::Text(_)) {}
    client.say(with("Hello", "2", WhenBusy::Reject)).await;
    let Said::Rejected(rejected) = client.said().await else {
        panic!("not rejected")
    };
    assert_eq!(rejected.request_id, "2");
    let status = rejected.status.unwrap();
    assert_eq!(status.code, Code::FailedPrecondition as i32);
    let mut request = ask("reject", "Hello");
    request.question.as_mut().unwrap().when_busy = WhenBusy::Reject.into();
    let refused = app.grpc().await.ask(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_error_details().error_info().unwrap().clone();
    assert_eq!(info.reason, "TURN_RUNNING");
    client.say(Say::Cancel(Cancel::default())).await;
    client.event().await;
    app.stop().await;
}

#[tokio::test]
async fn a_question_that_interrupts_comes_before_those_that_wait() {
    let app = TestApp::start().await;
    let mut client = Conversation::start(&app, open("interrupt", None)).await;
    client.said().await;
    client.say(with("hang", "1", WhenBusy::Queue)).await;
    while !matches!(client.said().await, Said::Text(_)) {}
    client.say(with("Hello", "2", WhenBusy::Queue)).await;
    client.say(with("fast", "3", WhenBusy::Interrupt)).await;
    client.requests = None;
    let (mut accepted, mut answers) = (vec![], vec![]);
    while let Some(said) = client.next().await.unwrap() {
        match said {
            Said::Accepted(said) => accepted.push(said.request_id),
            Said::Event(event) => {
                if let Some(Body::Agent(answer)) = event.body {
                    answers.push((answer.finish(), answer.content));
                }
            }
            _ => {}
        }
    }
    assert_eq!(accepted, ["3", "2"]);
    assert_eq!(answers.len(), 3, "{answers:?}");
    let cancelled = (Finish::Cancelled, "I begin, and then".to_owned());
    assert_eq!(answers[0], cancelled);
    assert!(answers[1].1.starts_with("An answer that comes all at once"));
    app.stop().await;
}

#[tokio::test]
async fn every_stream_is_told_once_that_a_drain_has_begun() {
    let app = TestApp::start().await;
    let mut asks = Conversation::start(&app, open("drain", None)).await;
    let mut idle = Conversation::start(&app, open("idle", None)).await;
    asks.said().await;
    idle.said().await;
    asks.say(Say::Ask(question("slow", "1"))).await;
    while !matches!(asks.said().await, Said::Text(_)) {}
    asks.say(Say::Ask(question("Hello", "2"))).await;
    while !matches!(asks.said().await, Said::Queued(_)) {}
    let told = async {
        let Said::GoAway(leaving) = idle.said().await else {
            panic!("not told")
        };
        let left = leaving.time_left.unwrap().seconds;
        assert!((3..=5).contains(&left), "{left}");
        let ended = idle.next().await.unwrap_err();
        assert_eq!(ended.code(), Code::Unavailable);

        let (mut told, mut refused, mut answers) = (0, 0, 0);
        loop {
            match asks.next().await {
                Ok(Some(Said::GoAway(_))) => told += 1,
                Ok(Some(Said::Rejected(rejected))) => {
                    assert_eq!(rejected.request_id, "2");
                    assert_eq!(answers, 0, "it could have been asked elsewhere long ago");
                    refused += 1;
                }
                Ok(Some(Said::Event(event))) => {
                    answers += u32::from(matches!(event.body, Some(Body::Agent(_))));
                }
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ends without a status"),
                Err(ended) => {
                    assert_eq!(ended.code(), Code::Unavailable);
                    break;
                }
            }
        }
        assert_eq!((told, refused, answers), (1, 1, 1));
    };
    tokio::join!(app.stop(), told);
}
