"""How many questions there were, and what became of them: the numbers a run can be quoted with."""

from dataclasses import dataclass

from invariants import Session
from tab import FINALS, Tab


@dataclass
class Tally:
    """Every question that was asked is in one of `answered`, `failed` and `unheard`, or somebody waits for ever."""

    asked: int = 0
    # The tab that asked saw its end: an answer, or an error.
    answered: int = 0
    failed: int = 0
    # It was refused, or lost with its connection: without an id there is nothing but to ask anew.
    unheard: int = 0
    # Times a question is in the log beyond the first.
    doubled: int = 0

    def __str__(self) -> str:
        numbers = (self.asked, self.answered, self.failed, self.unheard, self.doubled)
        return " | ".join(f"{number:>8,}" for number in numbers)


TITLES = " | ".join(f"{title:>8}" for title in ("asked", "answered", "failed", "unheard", "doubled"))


def tally(sessions: list[Session]) -> Tally:
    total = Tally()
    for session in sessions:
        asked = [event for event in session.log.events if event.HasField("user")]
        # The first turn of each: a second one is a defect, which is counted.
        turns = {event.user.content: event.turn_id for event in reversed(asked)}
        total.doubled += len(asked) - len(turns)
        for tab in session.tabs:
            count(tab, turns, total)
    return total


def count(tab: Tab, turns: dict[str, str], total: Tally) -> None:
    """`turns` are those of the log by their questions: who lost the echo may have come back in time for the answer."""
    frames = [frame for connection in tab.connections for frame in connection.frames]
    ends = {frame["turn_id"]: frame["type"] for frame in frames if frame["type"] in FINALS and "turn_id" in frame}
    for question in tab.questions:
        end = ends.get(question.turn or turns.get(question.content))
        total.asked += 1
        total.answered += end == "agent"
        total.failed += end == "error"
        total.unheard += end is None and not question.acknowledged and question.settled.is_set()
