"""Everything is restarted, one process after another, as for a new version."""

import asyncio
import random
import time

from blows import end
from invariants import Session, Violation
from processes import Dragoman
from scenario import BOUND_SECONDS, Run, scenario
from topology import Cluster, Direct

CASTS = [("cursor",)] * 4 + [("old",)]
CROWD = 500
# How long somebody thinks before the next question.
PAUSE_SECONDS = (0.2, 1.5)
# Between two restarts: everybody has come back, and who was restarted runs turns again.
CALM_SECONDS = (1.5, 3.0)
# So many have to wait for an answer when a process is told to end: else nothing is shown.
BUSY = CROWD // 4
# Nobody is limited, and nobody counts as gone because two cores have much to do. Some turns end within the time that a
# process may take, the others are taken over.
SETTINGS = {
    "DRAGOMAN_TELEMETRY_LOG": "info",
    "DRAGOMAN_LIMITS_RATE_QUESTIONS": "1000",
    "DRAGOMAN_GATEWAY_PING_INTERVAL": "1s",
    "DRAGOMAN_GATEWAY_SILENCE_TIMEOUT": "20s",
    "DRAGOMAN_GATEWAY_WRITE_TIMEOUT": "10s",
    "DRAGOMAN_SHUTDOWN_DRAIN_TIMEOUT": "1s",
    "DRAGOMAN_SESSIONS_LEASE": "15s",
}
DRAGOMANS = ("agent-1", "agent-2", "gateway-1", "gateway-2")


@scenario(
    "rolling-restart",
    "every process but the store is told to end and started again, one after another",
    Cluster,
    hang_ups=True,
)
async def rolling_restart(run: Run) -> None:
    for victim in [*run.cluster.agents, *run.cluster.gateways]:
        await run.ask(run.rng.choice(["slow", "tools", "late"]))
        await asyncio.sleep(run.rng.uniform(0.0, 1.0))
        await end(run, victim)
        await victim.start()
        await run.settle()


@scenario(
    "rolling-restart-of-500",
    "the same while 500 sessions keep asking, each with a tab of its own",
    Direct,
    environment=lambda _: dict.fromkeys(DRAGOMANS, SETTINGS),
    casts=CASTS * (CROWD // len(CASTS)),
    alone=True,
    hang_ups=True,
)
async def rolling_restart_of_500(run: Run) -> None:
    victims = [*run.cluster.agents, *run.cluster.gateways]
    run.rng.shuffle(victims)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for session in run.sessions:
            group.create_task(keep_asking(run, session, random.Random(run.rng.getrandbits(64)), over))
        for victim in victims:
            await asyncio.sleep(run.rng.uniform(*CALM_SECONDS))
            await restart(run, victim)
        await asyncio.sleep(run.rng.uniform(*CALM_SECONDS))
        over.set()
    check_goodbyes(run)


async def keep_asking(run: Run, session: Session, rng: random.Random, over: asyncio.Event) -> None:
    """Asks, waits for the end, thinks, and asks again."""
    (tab,) = session.tabs
    while not over.is_set():
        await asyncio.sleep(rng.uniform(*PAUSE_SECONDS))
        question = await tab.ask(run.content(session, "steady"))
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                await question.settled.wait()
        except TimeoutError:
            # The rules see that it has no end.
            return


async def restart(run: Run, victim: Dragoman) -> None:
    waiting = sum(bool(tab.waiting()) for tab in run.tabs)
    assert waiting >= BUSY, f"only {waiting} of {CROWD} wait for an answer"
    began = time.monotonic()
    await end(run, victim)
    ended = time.monotonic()
    await victim.start()
    took = f"ended in {ended - began:.1f} s, ready again in {time.monotonic() - ended:.1f} s"
    run.notes.append(f"{victim.name} is told to end while {waiting} of {CROWD} wait for an answer: {took}")


def check_goodbyes(run: Run) -> None:
    """A tab loses its connection only when its gateway is restarted, and is told so."""
    sent_away = silent = 0
    for tab in run.tabs:
        for connection in [connection for connection in tab.connections[:-1] if connection.opened]:
            sent_away += connection.code == 1001
            # The tab's own impatience: on a busy machine nobody's fault.
            silent += connection.closed == "silent"
            if connection.code != 1001 and connection.closed != "silent":
                found = Violation("who is sent away is told so", tab.name, "close 1001", connection.closed)
                run.violations.append(found)
    run.notes.append(f"tabs were sent away (1001) {sent_away} times, and left of themselves {silent} times")
