"""What the scripted model answers: every answer is known, another one in each session, and slow enough to be hit."""

from dataclasses import dataclass

# Each session of a scenario is given a slot, so that an answer in the wrong session is seen; a crowd shares them.
SLOTS = 4
KINDS = ("quick", "slow", "tools", "permit", "late", "steady")
# The tool that somebody has to allow.
ASKS = "get_lineage"

PIECE = 7
PAUSE_MS = 25
# Two seconds in few pieces, so that hundreds can be told at once.
STEADY_PIECE = 18
STEADY_PAUSE_MS = 400


@dataclass(frozen=True)
class Answer:
    """What is said in each step of a turn."""

    steps: tuple[str, ...]

    @property
    def text(self) -> str:
        """Steps of an answer are paragraphs."""
        return "\n\n".join(self.steps)


def _words(kind: str, slot: int, count: int, part: str = "a") -> str:
    return " ".join(f"{kind}-{slot}{part}{number}" for number in range(count)) + "."


def answer(kind: str, slot: int) -> Answer:
    match kind:
        case "quick":
            return Answer((f"A quick answer in slot {slot}.",))
        case "slow":
            return Answer((_words(kind, slot, 70),))
        case "tools" | "permit":
            return Answer((_words(kind, slot, 18), _words(kind, slot, 30, "b")))
        case "steady":
            return Answer((_words(kind, slot, 9),))
        case _:
            return Answer((_words(kind, slot, 25),))


def question(kind: str, slot: int, token: str) -> str:
    """A question that nobody asks twice."""
    return f"slot {slot} {kind} {token}?"


def answer_to(content: str) -> Answer:
    _, slot, kind, _ = content.split()
    return answer(kind, int(slot))


def script() -> dict:
    return {
        "scenarios": [
            {"when": {"contains": f"slot {slot} {kind} "}, "steps": _steps(kind, answer(kind, slot).steps)}
            for slot in range(SLOTS)
            for kind in KINDS
        ]
    }


def _steps(kind: str, texts: tuple[str, ...]) -> list:
    piece, pause = (STEADY_PIECE, STEADY_PAUSE_MS) if kind == "steady" else (PIECE, PAUSE_MS)
    steps = [[{"cut": {"text": text, "characters": piece, "pause_ms": pause}}] for text in texts]
    if kind == "tools":
        steps[0].append({"call": {"name": "list_tables", "arguments": {}}})
        steps[0].append({"call": {"name": "search_columns", "arguments": {"query": "supplier"}}})
        steps[1].insert(0, {"delay_ms": 500})
    if kind == "permit":
        steps[0].append({"call": {"name": "list_tables", "arguments": {}}})
        steps[0].append({"call": {"name": ASKS, "arguments": {"table": "fact_bs_purchase_order"}}})
    if kind == "late":
        steps[0].insert(0, {"delay_ms": 1200})
    return steps
