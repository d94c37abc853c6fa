"""A scenario: who is there, what is done to them, and what is checked afterwards, the same for all."""

import asyncio
import contextlib
import random
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import answers
from aftermath import read_sessions
from compare import history
from follower import Follower
from invariants import Allowed, Session, Violation, check_leftovers, check_session
from proxy import Direction, Proxy, Trap
from tab import Question, Tab
from tally import Tally, tally
from topology import LEASE_SECONDS, Cluster, Replicas, Single, Topology

# Within this time of a fault's end, or of the question if the fault has no end, everybody has an answer or an error: a
# lease that runs out, another one after an outage, what it takes to notice that a peer is dead, and a busy machine.
BOUND_SECONDS = 3 * LEASE_SECONDS + 16
# Attempts of an old client to ask after the fault: each may meet a connection that is just being closed.
ATTEMPTS = 4
SCENARIO_SECONDS = 150
# The rule that says so when it is broken.
PLAYED = "the scenario can be played"

# Who looks at a session, by `--tabs`: one tab with a cursor, one without, one of each beside a gRPC client.
CASTS: dict[str, list[tuple[str, ...]]] = {
    "1": [("cursor",), ("old",)],
    "2": [("cursor", "old", "grpc")],
    "both": [("cursor",), ("old",), ("cursor", "old", "grpc")],
}


@dataclass(frozen=True)
class Scenario:
    """What can happen, in one sentence, and how it is brought about."""

    name: str
    about: str
    on: type[Topology]
    play: Callable[["Run"], Awaitable[None]]
    allowed: Allowed
    # Variables of the processes' environment, as the topology wants them; a function, for they may need files.
    environment: Callable[[Path], dict] | None = None
    # Who looks at its sessions, whatever `--tabs` says.
    casts: Sequence[tuple[str, ...]] = ()
    # It wants the machine for itself.
    alone: bool = False


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str, about: str, on: type[Topology], environment=None, casts=(), alone: bool = False, **allowed: bool
):
    """Registers the function that follows."""

    def register(play: Callable[["Run"], Awaitable[None]]):
        assert name not in SCENARIOS, f"two scenarios are called {name}"
        SCENARIOS[name] = Scenario(name, about, on, play, Allowed(**allowed), environment, casts, alone)
        return play

    return register


@dataclass
class Result:
    """How it went."""

    scenario: str
    seed: int
    seconds: float
    violations: list[Violation]
    tally: Tally
    # What processes said last, if there are violations.
    logs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Run:
    """A scenario while it is played: the topology, the sessions, and chance."""

    def __init__(self, what: Scenario, seed: int, folder: Path, tabs: str, mutant: str | None = None):
        self.what, self.seed, self.mutant = what, seed, mutant
        self.rng = random.Random(f"{seed} {what.name}")
        environment = what.environment(folder) if what.environment else None
        self.topology = what.on(folder, mutant, environment)
        self.sessions: list[Session] = []
        self.violations: list[Violation] = []
        self.notes: list[str] = []
        self.asked = 0
        self.leader: Question | None = None
        self.speaker: Tab | None = None
        # Somebody was still waiting when the bound had passed.
        self.overdue = False
        # The door the leading question was put through.
        self._asked_at = 0
        self._casts = what.casts or CASTS[tabs]
        self._spies: list[tuple[int, Trap]] = []

    # === What scenarios are made of ===

    @property
    def cluster(self) -> Cluster:
        assert isinstance(self.topology, Cluster)
        return self.topology

    @property
    def single(self) -> Single:
        assert isinstance(self.topology, Single)
        return self.topology

    @property
    def tabs(self) -> list[Tab]:
        return [tab for session in self.sessions for tab in session.tabs]

    async def ask(self, kind: str) -> None:
        """Somebody asks in every session; one of the questions leads: moments are moments of its turn."""
        speakers = [(session, self._speaker(session)) for session in self.sessions]
        leading = self.rng.randrange(len(speakers))
        for number, (session, tab) in enumerate(speakers):
            content = self.content(session, kind)
            if number == leading:
                self.speaker = tab
                self._spy(content)
            question = await tab.ask(content)
            if number == leading:
                self.leader = question
                self._asked_at = self.gateway_of_speaker()

    async def ask_again(self, kind: str) -> None:
        """Somebody asks in every session, while the question before is not answered yet."""
        for session in self.sessions:
            await self._speaker(session).ask(self.content(session, kind))

    def content(self, session: Session, kind: str) -> str:
        """A question for this session that nobody has asked."""
        self.asked += 1
        return answers.question(kind, session.slot, f"{self.seed}-{self.asked}")

    async def until_acknowledged(self) -> None:
        await self.until(lambda: self.leader.acknowledged, "the leading question's echo")

    async def until_moment(self, moment: str) -> None:
        """Asks, and returns at that moment of the leading turn, give or take chance."""
        match moment:
            case "before-token":
                await self.ask("late")
                await self.until_acknowledged()
                await asyncio.sleep(self.rng.uniform(0.0, 0.6))
            case "mid-token":
                await self.ask("slow")
                length = len(answers.answer_to(self.leader.content).text)
                await self.until_text(self.rng.randrange(1, length * 2 // 3))
            case "mid-tool":
                await self.ask("tools")
                await self.speaker.until(lambda frame: frame["type"] == "tool")
            case _:
                raise ValueError(moment)

    async def until_text(self, length: int) -> None:
        """Until the speaker has seen so many characters of the leading answer."""

        def fits(frame: dict) -> bool:
            return frame["type"] == "agent_partial" and len(frame["content"]) >= length

        await self.speaker.until(fits)

    def trap_final(self, proxies: Iterable[Proxy], direction: Direction, hold: Direction) -> list[Trap]:
        """Traps for the leading turn's final event as it passes one of `proxies` in `direction`.

        Towards browsers the event is known by its type; elsewhere by the whole answer, which no text that grows holds.
        """
        text = answers.answer_to(self.leader.content).text
        traps = []
        for proxy in proxies:
            browsers = proxy.port in self.topology.browser_doors()
            pattern = f'"type":"agent","content":"{text}' if browsers else text
            traps.append(proxy.trap(direction, pattern.encode(), hold))
        return traps

    def runner(self) -> int:
        """Which agent was given the leading question."""
        if isinstance(self.topology, Replicas):
            return self._asked_at
        for number, spy in self._spies:
            if spy.sprung.is_set():
                return number
        raise AssertionError("no agent was given the question")

    def gateway_of_speaker(self) -> int:
        return self.topology.browser_doors().index(self.speaker.door)

    async def settle(self, seconds: float = BOUND_SECONDS) -> None:
        """Waits, within the bound, until everybody who asked has an end."""
        if self.overdue or await self.within(
            seconds, lambda: not any(tab.waiting() or tab.locked for tab in self.tabs)
        ):
            return
        # Once is enough: what comes later is too late, and not waited for.
        self.overdue = True
        for tab in self.tabs:
            if tab.waiting() or tab.locked:
                seen = f"after {seconds} s: {[history(question) for question in tab.waiting()]}, locked: {tab.locked}"
                self.violations.append(Violation("nobody waits for ever", tab.name, "agent or error by now", seen))
        if self.mutant:
            raise TimeoutError("somebody waits")

    # === The whole ===

    async def run(self) -> Result:
        began = time.monotonic()
        try:
            async with asyncio.timeout(SCENARIO_SECONDS):
                await self._play()
        except Exception as error:
            seen = "".join(traceback.format_exception(error)[-4:])
            self.violations.append(Violation(PLAYED, self.what.name, "no exception", seen))
        finally:
            await asyncio.gather(*(tab.leave() for tab in self.tabs), return_exceptions=True)
            for session in self.sessions:
                await asyncio.gather(*(follower.leave() for follower in session.followers), return_exceptions=True)
            await self.topology.end()
        seconds, counted = time.monotonic() - began, tally(self.sessions)
        result = Result(self.what.name, self.seed, seconds, self.violations, counted, notes=self.notes)
        if self.violations:
            result.logs = {process.name: process.log_tail() for process in self.topology.processes}
        return result

    async def _play(self) -> None:
        await self.topology.start()
        self._open_sessions()
        async with asyncio.timeout(20):
            for tab in self.tabs:
                await tab.online.wait()
        # There is a past before anything happens.
        await self._everybody_asks()
        await self.what.play(self)
        await self.settle()
        await self.topology.heal()
        await self.settle()
        for session in self.sessions:
            session.locked = [tab.name for tab in session.tabs if tab.locked]
        # And a future: whatever happened is over.
        await self._everybody_asks()
        self.violations += await read_sessions(self.topology, self.sessions)
        for tab in self.tabs:
            await tab.leave()
        for session in self.sessions:
            for follower in session.followers:
                await follower.leave()
        left = await self.topology.tidy()
        for session in self.sessions:
            self.violations += check_session(session, self.what.allowed)
        self.violations += check_leftovers(left)

    def _open_sessions(self) -> None:
        for number, kinds in enumerate(self._casts):
            name = f"session {number}"
            session = Session(name, f"chaos-{uuid.UUID(int=self.rng.getrandbits(128)).hex}", number % answers.SLOTS)
            self.sessions.append(session)
            for kind in kinds:
                rng = random.Random(self.rng.getrandbits(64))
                if kind == "grpc":
                    doors = self.topology.grpc_doors()
                    follower = Follower(f"grpc of {name}", session.id, doors, rng)
                    session.followers.append(follower)
                    follower.open()
                else:
                    doors = self.topology.browser_doors()
                    tab = Tab(f"{kind} of {name}", session.id, doors, rng, cursor=kind == "cursor")
                    session.tabs.append(tab)
                    tab.open()

    async def _everybody_asks(self) -> None:
        """Each tab asks, and is answered: by an answer, for nothing is wrong now."""
        await asyncio.gather(*(self._be_answered(session, tab) for session in self.sessions for tab in session.tabs))

    async def _be_answered(self, session: Session, tab: Tab) -> None:
        seen = "nothing"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BOUND_SECONDS):
                for _ in range(ATTEMPTS):
                    question = await tab.ask(self.content(session, "quick"))
                    await question.settled.wait()
                    if question.final is not None and question.final["type"] == "agent":
                        return
                    seen = f"{question.content!r}: {question.final or question.refused}"
                    await asyncio.sleep(0.3)
        self.violations.append(Violation("the service answers when nothing is wrong", tab.name, "an answer", seen))

    def _speaker(self, session: Session) -> Tab:
        return self.rng.choice(session.tabs)

    def _spy(self, content: str) -> None:
        if isinstance(self.topology, Cluster):
            links = self.topology.agent_links
            self._spies = [(number, link.trap(Direction.UP, content.encode())) for number, link in enumerate(links)]

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = 20) -> None:
        if not await self.within(seconds, holds):
            raise TimeoutError(f"{what} did not come within {seconds} s")

    async def within(self, seconds: float, holds: Callable[[], bool]) -> bool:
        """Waits until it holds; false if it does not within that time."""
        deadline = time.monotonic() + seconds
        while True:
            if holds():
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.005)
