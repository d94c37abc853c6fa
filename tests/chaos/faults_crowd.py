"""Everybody comes back at once."""

import asyncio

from crowd import SmallTab
from scenario import Run, Violation, scenario
from topology import Cluster, Single

CROWD = 2_000
# Handshakes that are under way at once while the crowd gathers, before anything happens.
GATHERING = 100
WITHIN_SECONDS = 1.0
BOUND_SECONDS = 25.0


async def crowd_returns(run: Run) -> None:
    """2,000 tabs lose their connections in one moment and are back within a second; each is shown its session's log."""
    ports = [process.http for process in run.topology.dragomans if process.browsers()]
    sessions = [session.id for session in run.sessions]
    crowd = [SmallTab(run.rng.choice(ports), run.rng.choice(sessions)) for _ in range(CROWD)]
    room = asyncio.Semaphore(GATHERING)

    async def gather(tab: SmallTab) -> None:
        async with room:
            await tab.try_to_connect(BOUND_SECONDS)

    async def come_back(tab: SmallTab, after: float) -> None:
        await asyncio.sleep(after)
        await tab.try_to_connect(BOUND_SECONDS)

    await asyncio.gather(*(gather(tab) for tab in crowd))
    missing = sum(not tab.finals for tab in crowd)
    assert not missing, f"{missing} of the crowd could not gather: {sorted({tab.refused for tab in crowd})}"
    await run.until_moment("before-token")
    for tab in crowd:
        tab.cut()
        tab.finals = 0
    await asyncio.gather(*(come_back(tab, run.rng.uniform(0.0, WITHIN_SECONDS)) for tab in crowd))
    lost = [tab for tab in crowd if not tab.finals]
    if lost:
        seen = f"{len(lost)} of {CROWD} were not: {sorted({tab.refused for tab in lost})}"
        expected = f"all of {CROWD} within {BOUND_SECONDS} s"
        run.violations.append(Violation("who comes back is shown the log", "crowd", expected, seen))
    for tab in crowd:
        tab.cut()


@scenario("crowd-returns", "2,000 tabs reconnect within a second, to one process", Single)
async def crowd_returns_to_one(run: Run) -> None:
    await crowd_returns(run)


@scenario("crowd-returns-to-cluster", "2,000 tabs reconnect within a second, to two gateways", Cluster)
async def crowd_returns_to_cluster(run: Run) -> None:
    await crowd_returns(run)
