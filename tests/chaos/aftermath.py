"""What is read when it is over: every agent's log, and what a page that is loaded now is shown."""

import asyncio
import contextlib
import random
import time

from compare import shown
from follower import Log, read_log_when_there
from invariants import Session, Violation
from tab import Tab
from topology import Topology

CATCH_UP_SECONDS = 8
READ_SECONDS = 10
# Sessions that are read at once: a crowd's, one after another, would take longer than everything before.
READERS = 8


async def read_sessions(topology: Topology, sessions: list[Session]) -> list[Violation]:
    """Fills in what the rules look at, when everybody has seen all there is or should have."""
    room = asyncio.Semaphore(READERS)

    async def read(session: Session) -> list[Violation]:
        async with room:
            await catch_up(topology, session)
            return await read_logs(topology, session)

    found = await asyncio.gather(*(read(session) for session in sessions))
    return [violation for violations in found for violation in violations]


async def catch_up(topology: Topology, session: Session) -> None:
    """Waits, within a bound, until everybody with a cursor has seen all there is."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    end = last_shown(await read_log_when_there(topology.log_ports()[0], session.id, CATCH_UP_SECONDS))
    while True:
        behind = [f"{tab.name} at {tab.seq} of {end}" for tab in session.tabs if tab.cursor and tab.seq < end]
        for follower in session.followers:
            if follower.cursor.seq < end:
                behind.append(f"{follower.name} at {follower.cursor.seq} of {end}")
        if not behind or time.monotonic() > deadline:
            session.behind += behind
            return
        await asyncio.sleep(0.05)


async def read_logs(topology: Topology, session: Session) -> list[Violation]:
    logs = [await read_log_when_there(port, session.id, READ_SECONDS) for port in topology.log_ports()]
    session.log = logs[0]
    session.replay = await replay(topology, session)
    if all(log.events == logs[0].events for log in logs):
        return []
    seen = f"{[len(log.events) for log in logs]} events"
    return [Violation("every agent tells the same log", session.name, "one log", seen)]


async def replay(topology: Topology, session: Session) -> list[dict]:
    """What a page that is loaded now is shown."""
    reader = Tab(f"reader of {session.name}", session.id, topology.browser_doors(), random.Random(0), cursor=True)
    end = last_shown(session.log)
    reader.open()
    with contextlib.suppress(TimeoutError):
        await reader.until(lambda frame: frame.get("seq", 0) >= end, CATCH_UP_SECONDS)
    await reader.leave()
    return reader.connections[-1].frames if reader.connections else []


def last_shown(log: Log) -> int:
    """The position of the last event that tabs are shown."""
    return max((event.seq for event in log.events if shown(event)), default=0)
