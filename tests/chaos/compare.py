"""What was seen, in a form in which it can be compared: events, frames, texts."""

from answers import answer_to
from dragoman.chat.v1 import chat_pb2 as pb
from follower import Log
from tab import Connection, Question

DECISIONS = {
    pb.DECISION_APPROVED: "approved",
    pb.DECISION_DENIED: "denied",
    pb.DECISION_TIMED_OUT: "timed_out",
}


def turns(log: Log) -> dict[str, list[pb.Event]]:
    found: dict[str, list[pb.Event]] = {}
    for event in log.events:
        found.setdefault(event.turn_id, []).append(event)
    return found


def whole_texts(log: Log, lost_text: bool) -> dict[str, str]:
    """By turn, the text of which every partial must be the beginning; `lost_text`: an error need not hold all of it."""
    texts = {}
    for turn, events in turns(log).items():
        if events[-1].HasField("agent"):
            texts[turn] = events[-1].agent.content
        elif events[-1].HasField("error") and not lost_text:
            texts[turn] = events[-1].error.partial
        elif events[0].HasField("user"):
            texts[turn] = answer_to(events[0].user.content).text
    return texts


def shown(event: pb.Event) -> tuple | None:
    """An event as the WebSocket protocol shows it; `None` if it does not."""
    match event.WhichOneof("body"):
        case "user":
            return (event.seq, event.turn_id, "user", event.user.content)
        case "tool_result":
            return (event.seq, event.turn_id, "tool", event.tool_result.content)
        case "approval_request":
            return (event.seq, event.turn_id, "approval", event.approval_request.call_id)
        case "approval_decision":
            decided = event.approval_decision
            return (event.seq, event.turn_id, "approval_decision", f"{decided.call_id} {DECISIONS[decided.decision]}")
        case "agent":
            return (event.seq, event.turn_id, "agent", event.agent.content)
        case "error":
            return (event.seq, event.turn_id, "error", f"Agent error: {event.error.message}")
    return None


def told(frame: dict) -> tuple:
    match frame["type"]:
        case "approval":
            content = frame["call_id"]
        case "approval_decision":
            content = f"{frame['call_id']} {frame['decision']}"
        case _:
            content = frame["content"]
    return (frame["seq"], frame["turn_id"], frame["type"], content)


def is_echo_of(frame: dict, ids: set[str]) -> bool:
    return frame["type"] == "user" and frame.get("id") in ids


def since_last_gap(connections: list[Connection]) -> list[Connection]:
    """What came after the client was told to forget what it had."""
    for number in range(len(connections) - 1, -1, -1):
        frames = connections[number].frames
        for at in range(len(frames) - 1, -1, -1):
            if frames[at]["type"] == "gap":
                rest = Connection(0, True, frames[at + 1 :], connections[number].times[at + 1 :])
                rest.sent = connections[number].sent
                return [rest, *connections[number + 1 :]]
    return connections


def history(question: Question) -> str:
    parts = [f"sent {question.sent} times", "acknowledged" if question.acknowledged else "not acknowledged"]
    parts += ["cut off"] if question.cut_off else []
    parts += [f"refused: {question.refused[-1]}"] if question.refused else []
    return ", ".join(parts)


def short(value: object) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= 1200 else f"{text[:600]} … {text[-600:]}"
