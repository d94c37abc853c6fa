"""The chaos suite: kills, stalls and starves what it can, and checks that nobody notices more than is promised.

`--list` names the scenarios, `--only NAME --seed N` plays one again exactly as it was drawn.
"""

import argparse
import asyncio
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

from scenario import CASTS, SCENARIOS, Result, Run, Scenario  # noqa: E402

# Each of these files registers its scenarios.
for family in sorted(Path(__file__).parent.glob("faults_*.py")):
    importlib.import_module(family.stem)


def row(result: Result) -> str:
    return f"| {result.scenario:<38} | {result.seconds:>7.1f} | {len(result.violations):>10} |"


def explain(result: Result) -> None:
    """Everything needed to see what went wrong, and to see it again."""
    print(f"\n--- {result.scenario}: {len(result.violations)} violations", flush=True)
    print(f"    again: tests/run chaos --seed {result.seed} --only {result.scenario}")
    for note in result.notes:
        print(f"    {note}")
    for violation in result.violations[:8]:
        print(f"    * {violation}")
    if len(result.violations) > 8:
        print(f"    … and {len(result.violations) - 8} more")
    for name, tail in result.logs.items():
        print(f"    log of {name}:")
        for line in tail.splitlines():
            print(f"      {line}")


async def play(what: Scenario, seed: int, tabs: str, mutant: str | None = None) -> Result:
    with tempfile.TemporaryDirectory(prefix=f"dragoman-chaos-{what.name}-", ignore_cleanup_errors=True) as folder:
        return await Run(what, seed, Path(folder), tabs, mutant).run()


async def play_all(arguments: argparse.Namespace, chosen: list[Scenario]) -> list[Result]:
    """At most `--jobs` at once, each on processes of its own."""
    room = asyncio.Semaphore(arguments.jobs)
    jobs = [(what, arguments.seed + turn) for turn in range(arguments.repeat) for what in chosen]

    async def one(what: Scenario, seed: int) -> Result:
        async with room:
            result = await play(what, seed, arguments.tabs)
        print(row(result), flush=True)
        if result.violations:
            explain(result)
        return result

    return await asyncio.gather(*(one(what, seed) for what, seed in jobs))


def choose(patterns: list[str]) -> list[Scenario]:
    """Scenarios by name or by pattern (`agent-*`); all of them if none is named."""
    chosen = []
    for what in SCENARIOS.values():
        if not patterns or any(fnmatch.fnmatch(what.name, pattern) for pattern in patterns):
            chosen.append(what)
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
    parser.add_argument("--list", action="store_true", help="name the scenarios, one sentence each")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    chosen = choose(arguments.only)
    if arguments.list:
        for what in chosen:
            print(f"{what.name:<38} {what.about}")
        return 0
    # Connections that are cut on purpose are no news.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"| {'scenario':<38} | seconds | violations |", flush=True)
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
