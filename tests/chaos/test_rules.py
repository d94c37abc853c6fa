"""Each rule of the suite holds for a session in which all went well, and fails for one in which its fault is made."""

import copy
import random
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from answers import answer
from compare import shown
from dragoman.chat.v1 import chat_pb2 as pb
from follower import Follower, Log, Stream
from http2 import DATA, GOAWAY, HEADERS, Tampering, frame
from invariants import Allowed, Leftovers, Session, check_leftovers, check_session
from tab import Connection, Question, Tab
from tally import Tally, tally

QUESTION = "slot 0 tools test?"
TURN = "t1"
TEXT = answer("tools", 0).text


def event(seq: int, **body) -> pb.Event:
    return pb.Event(seq=seq, fingerprint=f"f{seq}", turn_id=TURN, **body)


def frames_of(log: Log) -> list[dict]:
    """As a WebSocket shows it."""
    found = []
    for one in log.events:
        if view := shown(one):
            seq, turn, kind, content = view
            found.append({"type": kind, "content": content, "turn_id": turn, "seq": seq})
    return found


def well() -> Session:
    """One question over a tool to its answer, seen by a tab of each kind and over gRPC."""
    log = Log(
        [
            event(1, user=pb.UserMessage(content=QUESTION, request_id="m-1")),
            event(2, tool_call=pb.ToolCall(call_id="c", name="list_tables")),
            event(3, tool_result=pb.ToolResult(call_id="c", name="list_tables", content="[]")),
            event(4, agent=pb.AgentMessage(content=TEXT, finish=pb.FINISH_COMPLETED)),
        ],
        "",
    )
    frames = frames_of(log)
    frames[0]["id"] = "m-1"
    partials = [{"type": "agent_partial", "content": TEXT[:n], "turn_id": TURN} for n in (5, 9)]
    seen = [frames[0], *partials, *frames[1:]]
    session = Session("all", "s", 0, log=log, replay=frames_of(log))
    for cursor in (True, False):
        tab = Tab("cursor" if cursor else "old", "s", [1], random.Random(0), cursor)
        tab.connections.append(Connection(0 if cursor else None, True, seen[:], [float(n) for n in range(len(seen))]))
        session.tabs.append(tab)
    asked = Question(QUESTION, "m-1", sent=1, acknowledged=True, final=frames[-1], turn=TURN)
    asked.settled.set()
    session.tabs[0].questions.append(asked)
    follower = Follower("grpc", "s", [1], random.Random(0))
    texts = [(TURN, TEXT[:5]), (TURN, TEXT[:9])]
    follower.streams.append(Stream(pb.Cursor(seq=0), events=list(log.events), texts=texts))
    session.followers.append(follower)
    return session


def test_nothing_is_wrong_when_all_is_well():
    assert check_session(well(), Allowed()) == []
    assert check_leftovers(Leftovers(exits={"agent": 0})) == []


def frames(session: Session, tab: int = 0) -> list[dict]:
    return session.tabs[tab].connections[0].frames


def make_a_gap_in_the_log(session: Session) -> None:
    session.log.events[3].seq = 5


def end_a_turn_twice(session: Session) -> None:
    session.log.events.append(event(5, error=pb.TurnError(message="again")))


def leave_a_turn_without_an_end(session: Session) -> None:
    del session.log.events[3]


def run_a_message_twice(session: Session) -> None:
    for number in range(4):
        again = copy.deepcopy(session.log.events[number])
        again.seq, again.turn_id = 5 + number, "t2"
        session.log.events.append(again)


def mix_turns(session: Session) -> None:
    session.log.events[2].turn_id = "t2"


def call_a_tool_twice(session: Session) -> None:
    again = copy.deepcopy(session.log.events[1])
    session.log.events.insert(2, again)


def ask(session: Session, *decisions: pb.Decision) -> None:
    """As if the tool had asked."""
    session.log.events[2:2] = [
        event(3, approval_request=pb.ApprovalRequest(call_id="c")),
        *(event(4, approval_decision=pb.ApprovalDecision(call_id="c", decision=one)) for one in decisions),
    ]


def decide_a_tool_twice(session: Session) -> None:
    ask(session, pb.DECISION_APPROVED, pb.DECISION_APPROVED)


def leave_a_tool_undecided(session: Session) -> None:
    ask(session)


def run_a_tool_that_is_denied(session: Session) -> None:
    ask(session, pb.DECISION_DENIED)


def answer_something_else(session: Session) -> None:
    session.log.events[3].agent.content = "something else"


def leave_a_turn_running(session: Session) -> None:
    session.log.running_turn = TURN


def tell_another_log_over_websocket(session: Session) -> None:
    session.replay.pop()


def lose_an_acknowledged_message(session: Session) -> None:
    session.log.events.clear()


def let_somebody_wait(session: Session) -> None:
    session.tabs[0].questions[0].settled.clear()


def take_nothing_and_say_nothing(session: Session) -> None:
    lost = Question("slot 0 quick lost?", "m-2", sent=1)
    lost.settled.set()
    session.tabs[0].questions.append(lost)


def show_another_end(session: Session) -> None:
    session.tabs[0].questions[0].final = {"seq": 4, "turn_id": TURN, "type": "error", "content": "no"}


def leave_out_a_frame(session: Session) -> None:
    del frames(session)[3]


def repeat_a_frame(session: Session) -> None:
    frames(session).insert(4, frames(session)[3])


def leave_out_a_frame_of_the_old_client(session: Session) -> None:
    del frames(session, 1)[3]
    session.tabs[1].connections[0].times.pop()


def repeat_an_end_to_the_old_client(session: Session) -> None:
    connection = session.tabs[1].connections[0]
    connection.frames.append({"type": "agent_partial", "content": TEXT, "turn_id": TURN})
    connection.times.append(100.0)
    session.tabs[1].connections.append(Connection(None, True, [frames_of(session.log)[-1]], [101.0]))


def send_a_needless_gap(session: Session) -> None:
    frames(session).append({"type": "gap"})


def let_text_shrink(session: Session) -> None:
    frames(session)[2]["content"] = TEXT[:3]


def let_text_be_another(session: Session) -> None:
    frames(session)[2]["content"] = TEXT[:5] + "?"


def lock_the_input(session: Session) -> None:
    del frames(session, 1)[-1]
    session.tabs[1].connections[0].times.pop()


def miss_an_event_over_grpc(session: Session) -> None:
    del session.followers[0].streams[0].events[1]


def send_another_event_over_grpc(session: Session) -> None:
    other = copy.deepcopy(session.followers[0].streams[0].events[3])
    other.fingerprint = "other"
    session.followers[0].streams[0].events[3] = other


def reset_needlessly_over_grpc(session: Session) -> None:
    session.followers[0].streams[0].reset = True


def let_text_shrink_over_grpc(session: Session) -> None:
    session.followers[0].streams[0].texts.append((TURN, TEXT[:4]))


def fail_needlessly(session: Session) -> None:
    for seen in (session.log, Log(session.followers[0].streams[0].events, "")):
        seen.events[3] = event(4, error=pb.TurnError(message="no", partial=TEXT[:9]))


def hang_up(session: Session) -> None:
    session.tabs[0].connections.append(Connection(4, True))


def leave_somebody_behind(session: Session) -> None:
    session.behind.append("a tab")


FAULTS = {
    make_a_gap_in_the_log: "the log is contiguous from 1",
    end_a_turn_twice: "exactly one final event per question",
    leave_a_turn_without_an_end: "exactly one final event per question",
    run_a_message_twice: "no message runs twice",
    mix_turns: "turns do not interleave",
    call_a_tool_twice: "tools are called and answered once",
    decide_a_tool_twice: "a tool that asks is decided once",
    leave_a_tool_undecided: "an answer leaves no tool undecided",
    run_a_tool_that_is_denied: "a tool runs only if it is allowed",
    answer_something_else: "an answer is whole",
    leave_a_turn_running: "no turn is left running",
    tell_another_log_over_websocket: "both protocols tell the same log",
    lose_an_acknowledged_message: "what was acknowledged is in the log",
    let_somebody_wait: "nobody waits for ever",
    take_nothing_and_say_nothing: "what is not taken is refused",
    show_another_end: "the end seen is the end kept",
    leave_out_a_frame: "no event is left out",
    repeat_a_frame: "no event comes twice",
    leave_out_a_frame_of_the_old_client: "no event is left out",
    repeat_an_end_to_the_old_client: "no end comes twice",
    send_a_needless_gap: "no gap where nothing was lost",
    let_text_shrink: "text only grows",
    let_text_be_another: "text is the answer's beginning",
    lock_the_input: "the old frontend's input is unlocked",
    miss_an_event_over_grpc: "a gRPC client sees every event once",
    send_another_event_over_grpc: "an event is the log's",
    reset_needlessly_over_grpc: "no reset where nothing was lost",
    let_text_shrink_over_grpc: "text only grows",
    fail_needlessly: "no turn fails needlessly",
    hang_up: "what a gateway can hide is hidden",
    leave_somebody_behind: "nobody is left behind",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_rule_fails(fault):
    session = well()
    fault(session)
    assert FAULTS[fault] in {violation.rule for violation in check_session(session, Allowed())}


@pytest.mark.parametrize(
    "left",
    [
        Leftovers(eternal_keys=["key"]),
        Leftovers(channels=["channel"]),
        Leftovers(browsers={"gateway": 1}),
        Leftovers(descriptors={"agent": "10 + 7"}),
        Leftovers(exits={"agent": None}),
        Leftovers(exits={"agent": 1}),
        Leftovers(complaints=["agent: panicked at …"]),
    ],
    ids=str,
)
def test_what_is_left_over_is_seen(left):
    assert len(check_leftovers(left)) == 1


def test_every_question_is_counted_once():
    session = well()
    asking, old = session.tabs
    assert tally([session]) == Tally(asked=1, answered=1)
    # The old tab lost the echo and came back in time for the answer; what was refused was not heard at all.
    old.questions = [Question(QUESTION, None, sent=1), Question("slot 0 quick refused?", None, sent=1)]
    for question in old.questions:
        question.settled.set()
    # Somebody waits: that is in none of the sums.
    asking.questions.append(Question("slot 0 quick waiting?", "m-2", sent=1))
    run_a_message_twice(session)
    assert tally([session]) == Tally(asked=4, answered=2, unheard=1, doubled=1)


def test_frames_are_put_between_frames():
    tampering = Tampering()
    begin = frame(HEADERS, 1, b"h")
    data = frame(DATA, 1, b"x" * 300)
    assert tampering.take(begin + data[:100]) == begin
    tampering.go_away()
    assert tampering.take(b"") == frame(GOAWAY, 0, struct.pack(">II", 2**31 - 1, 0))
    assert tampering.take(data[100:]) == data
    assert tampering.reset_streams() == 1
    # What the server says on a stream that was reset goes nowhere.
    assert tampering.take(data + frame(DATA, 3, b"y")) == frame(DATA, 3, b"y") + frame(0x3, 1, struct.pack(">I", 8))
    assert tampering.take(data) == b""
