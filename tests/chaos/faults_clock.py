"""Clocks that jump, with libfaketime before the C library: a process reads its offset from a file, again and again."""

import asyncio
from pathlib import Path

from scenario import Run, scenario
from topology import Cluster, Single

JUMPS = {"forward": 3600, "back": -3600}
MONOTONIC_STAYS = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1"}
# How long an offset may stay unread.
CACHE_SECONDS = 1.2


def clock(folder: Path, name: str) -> dict[str, str]:
    """Variables that give a process the clock of this name."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        raise RuntimeError("libfaketime is missing: install the package faketime")
    set_clock(folder, name, 0)
    file = {"FAKETIME_TIMESTAMP_FILE": str(folder / f"{name}.clock")}
    return MONOTONIC_STAYS | file | {"LD_PRELOAD": str(libraries[0])}


def set_clock(folder: Path, name: str, seconds: int) -> None:
    (folder / f"{name}.clock").write_text(f"{seconds:+d}\n")


def clocks(*names: str):
    return lambda folder: {name: clock(folder, name) for name in names}


def process_jump(way: str) -> None:
    about = f"the clock of the one process jumps an hour {way} in mid-token"

    @scenario(f"clock-process-{way}", about, Single, environment=lambda folder: clock(folder, "all"))
    async def play(run: Run) -> None:
        await run.until_moment("mid-token")
        set_clock(run.topology.folder, "all", JUMPS[way])
        await asyncio.sleep(CACHE_SECONDS)


def agent_jump(way: str) -> None:
    about = f"the clock of the agent that runs a turn jumps an hour {way} in mid-token"

    @scenario(f"clock-agent-{way}", about, Cluster, environment=clocks("agent-1", "agent-2"))
    async def play(run: Run) -> None:
        await run.until_moment("mid-token")
        victim = run.cluster.agents[run.runner()]
        set_clock(run.topology.folder, victim.name, JUMPS[way])
        await asyncio.sleep(CACHE_SECONDS)


def redis_jump(way: str) -> None:
    about = f"the clock of Redis, which leases are counted by, jumps an hour {way} in mid-token"

    @scenario(f"clock-redis-{way}", about, Cluster, environment=clocks("redis"), failed_turns=True)
    async def play(run: Run) -> None:
        await run.until_moment("mid-token")
        set_clock(run.topology.folder, "redis", JUMPS[way])
        await asyncio.sleep(CACHE_SECONDS)


for a_way in JUMPS:
    process_jump(a_way)
    agent_jump(a_way)
    redis_jump(a_way)
