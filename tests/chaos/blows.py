"""What can befall a process, at which moments of a turn, and how it comes back."""

import asyncio
import signal
from collections.abc import Callable, Iterable

from processes import Dragoman, Process
from proxy import Direction, Proxy
from scenario import Run, Violation
from topology import LEASE_SECONDS, STOP_SECONDS

BLOWS = {
    "kill": "is killed (SIGKILL)",
    "stop": "hangs (SIGSTOP)",
    "term": "is told to end (SIGTERM)",
}
MOMENTS = {
    "before-token": "before the first token",
    "mid-token": "in mid-token",
    "mid-tool": "in mid-tool",
    "unacknowledged": "after the final event, before it is acknowledged",
}
# What a scenario may do to those who look on when all that could answer or hide it is hurt.
HURT = {"failed_turns": True, "hang_ups": True}


def each_blow(register: Callable[[str, str, str], None]) -> Callable[[str, str, str], None]:
    """Registers a scenario for each blow at each moment; the third argument says both in words."""
    for blow, what in BLOWS.items():
        for moment, when in MOMENTS.items():
            register(blow, moment, f"{what} {when}")
    return register


async def reach(run: Run, moment: str, proxies: Iterable[Proxy], direction: Direction) -> None:
    """Asks and returns at that moment; `unacknowledged` when the final event passes one of `proxies` in `direction`.

    Towards the browser the event itself is held, towards the store the answer to its write.
    """
    if moment != "unacknowledged":
        return await run.until_moment(moment)
    await run.ask("slow")
    traps = run.trap_final(proxies, direction, hold=Direction.DOWN)
    waiting = [asyncio.create_task(trap.sprung.wait()) for trap in traps]
    done, pending = await asyncio.wait(waiting, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if not done:
        raise TimeoutError("no final event came by")
    return None


async def strike(run: Run, victim: Process, blow: str) -> None:
    """Hits it. A process that was told to end has ended when this returns; the others are as they were left."""
    match blow:
        case "kill":
            await victim.kill()
        case "stop":
            victim.signal(signal.SIGSTOP)
        case "term":
            await end(run, victim)


async def end(run: Run, victim: Process) -> None:
    """SIGTERM: it has to end by itself, in time and well."""
    code = await victim.stop(STOP_SECONDS)
    if code != 0:
        seen = f"still running after {STOP_SECONDS} s" if code is None else f"exit code {code}"
        run.violations.append(Violation("a process ends in time when asked", victim.name, "exit code 0", seen))


async def come_back(run: Run, victim: Dragoman, blow: str) -> None:
    """Everybody has an end without the victim, which comes back only then."""
    await run.settle()
    await run.topology.heal()
    if blow == "stop":
        await awake(run, victim)


async def kill_while_asked(run: Run, victims: list[Dragoman], kind: str) -> None:
    """Kills one of them while questions are on their way to it."""
    victim = run.rng.choice(victims)
    async with asyncio.TaskGroup() as group:
        group.create_task(run.ask(kind))
        await asyncio.sleep(run.rng.uniform(0.0, 0.03))
        await victim.kill()


async def kill_all(run: Run, victims: list[Dragoman], seconds: float) -> None:
    """Kills them in mid-token; they are back within that time."""
    await run.until_moment("mid-token")
    for victim in victims:
        await victim.kill()
    await asyncio.sleep(run.rng.uniform(0.5, seconds))
    await run.topology.heal()


async def awake(run: Run, victim: Dragoman) -> None:
    """Who was stopped finds itself replaced, and is given time to do harm."""
    victim.signal_continue()
    await asyncio.sleep(run.rng.uniform(0.5, 1.5))


def longer_than_a_lease(run: Run) -> float:
    return run.rng.uniform(LEASE_SECONDS + 1.0, LEASE_SECONDS + 2.5)
