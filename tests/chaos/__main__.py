"""The chaos suite: kills, stalls and starves what it can, and checks that nobody notices more than is promised.

`--list` names the scenarios, `--only NAME --seed N` plays one again exactly as it was drawn.
"""

import argparse
import asyncio
import dataclasses
import fnmatch
import importlib
import logging
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

# Processes are started while gRPC's threads run; nothing of gRPC lives on in them.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from mutants import MUTANTS
from scenario import CASTS, PLAYED, SCENARIOS, Result, Run, Scenario
from tally import TITLES
from topology import Cluster, Replicas

# Each of these files registers its scenarios.
for family in sorted(Path(__file__).parent.glob("faults_*.py")):
    importlib.import_module(family.stem)

# Scenarios that need gateways of their own.
GATEWAYS = ("gateway", "grpc", "crowd", "agent-final-event-lost")
# Runs a mutant is given to be noticed in, for each of its scenarios.
MUTANT_SEEDS = 5


def row(result: Result) -> str:
    return f"| {result.scenario:<38} | {result.seconds:>7.1f} | {result.tally} | {len(result.violations):>10} |"


def explain(result: Result) -> None:
    """Everything needed to see what went wrong, and to see it again."""
    print(f"\n--- {result.scenario}: {len(result.violations)} violations", flush=True)
    print(f"    again: tests/run chaos --seed {result.seed} --only {result.scenario}")
    for violation in result.violations[:8]:
        print(f"    * {violation}")
    if len(result.violations) > 8:
        print(f"    … and {len(result.violations) - 8} more")
    for name, tail in result.logs.items():
        print(f"    log of {name}:")
        for line in tail.splitlines():
            print(f"      {line}")


async def play(what: Scenario, seed: int, tabs: str, mutant: str | None = None) -> Result:
    """`mutant`: a protection that is switched off; then the first thing that goes wrong is enough."""
    with tempfile.TemporaryDirectory(prefix=f"dragoman-chaos-{what.name}-", ignore_cleanup_errors=True) as folder:
        return await Run(what, seed, Path(folder), tabs, mutant).run()


async def play_all(arguments: argparse.Namespace, chosen: list[Scenario]) -> list[Result]:
    """At most `--jobs` at once, each on processes of its own; who wants the machine for itself comes last."""
    room = asyncio.Semaphore(arguments.jobs)
    jobs = [(what, arguments.seed + turn) for turn in range(arguments.repeat) for what in chosen]

    async def one(what: Scenario, seed: int) -> Result:
        async with room:
            result = await play(what, seed, arguments.tabs)
        print(row(result), flush=True)
        for note in result.notes:
            print(f"|   {note}", flush=True)
        if result.violations:
            explain(result)
        return result

    results = await asyncio.gather(*(one(what, seed) for what, seed in jobs if not what.alone))
    for what, seed in jobs:
        if what.alone:
            results.append(await one(what, seed))
    return results


async def catch(mutant: str, arguments: argparse.Namespace, room: asyncio.Semaphore) -> bool:
    """Whether a scenario notices that the protection is off; chance is given some seeds."""
    began, tries = time.monotonic(), 0
    for seed in range(arguments.seed, arguments.seed + MUTANT_SEEDS):
        for name in MUTANTS[mutant]:
            what = SCENARIOS[name]
            if arguments.replicas and what.on is Cluster:
                what = on_replicas(what)
            async with room:
                result = await play(what, seed, arguments.tabs, mutant)
            tries += 1
            # A scenario that cannot be played to its end has noticed nothing.
            noticed = [violation for violation in result.violations if violation.rule != PLAYED]
            if noticed:
                seconds = time.monotonic() - began
                print(f"| {mutant:<18} | caught     | {seconds:>5.0f} s | {name}, seed {seed} |", flush=True)
                print(f"    {noticed[0]}", flush=True)
                return True
    print(f"| {mutant:<18} | NOT caught | {time.monotonic() - began:>5.0f} s | in {tries} runs |", flush=True)
    return False


async def catch_all(arguments: argparse.Namespace, mutants: list[str]) -> list[bool]:
    room = asyncio.Semaphore(arguments.jobs)
    return await asyncio.gather(*(catch(mutant, arguments, room) for mutant in mutants))


def choose(patterns: list[str], replicas: bool) -> list[Scenario]:
    """Scenarios by name or by pattern (`agent-*`); all of them if none is named."""
    chosen = []
    for what in SCENARIOS.values():
        if not patterns or any(fnmatch.fnmatch(what.name, pattern) for pattern in patterns):
            chosen.append(what)
    if replicas:
        chosen = [on_replicas(what) for what in chosen if what.on is Cluster and not what.name.startswith(GATEWAYS)]
    if not chosen:
        sys.exit(f"no scenario is called {' or '.join(patterns)}; see --list")
    return chosen


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/run chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides moments, victims and texts (1)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a scenario or pattern; repeatable")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="so many times, the seed growing by one")
    parser.add_argument("--jobs", type=int, default=8, metavar="N", help="scenarios at a time (8)")
    parser.add_argument("--tabs", choices=sorted(CASTS), default="both", help="tabs a session has (both)")
    parser.add_argument("--mutants", action="store_true", help="switch protections off and see that it is noticed")
    parser.add_argument("--replicas", action="store_true", help="on two processes that each do everything, and Redis")
    parser.add_argument("--list", action="store_true", help="name the scenarios, one sentence each")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    # Connections that are cut on purpose are no news.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if arguments.mutants:
        return try_mutants(arguments)
    chosen = choose(arguments.only, arguments.replicas)
    if arguments.list:
        for what in chosen:
            print(f"{what.name:<38} {what.about}")
        return 0
    return try_scenarios(arguments, chosen)


def on_replicas(what: Scenario) -> Scenario:
    """The same where there are no gateways: who loses its process loses its connection."""
    return dataclasses.replace(what, on=Replicas, allowed=dataclasses.replace(what.allowed, hang_ups=True))


def try_mutants(arguments: argparse.Namespace) -> int:
    mutants = [name for name in MUTANTS if not arguments.only or name in arguments.only]
    if not mutants:
        sys.exit(f"no mutant is called {' or '.join(arguments.only)}; there are: {' '.join(MUTANTS)}")
    began = time.monotonic()
    caught = asyncio.run(catch_all(arguments, mutants))
    seconds = time.monotonic() - began
    print(f"| {len(caught)} mutants, {sum(caught)} of them caught, {seconds:.0f} s, seed {arguments.seed} |")
    return 0 if all(caught) else 1


def try_scenarios(arguments: argparse.Namespace, chosen: list[Scenario]) -> int:
    print(f"| {'scenario':<38} | seconds | {TITLES} | violations |", flush=True)
    began = time.monotonic()
    results = asyncio.run(play_all(arguments, chosen))
    violations = sum(len(result.violations) for result in results)
    broken = sum(bool(result.violations) for result in results)
    print(
        f"| {len(results)} scenarios, {broken} of them broken, {violations} violations, "
        f"{time.monotonic() - began:.0f} s, seed {arguments.seed} |"
    )
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
