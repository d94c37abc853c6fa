"""Faults of browsers' connections: they are cut, they hang, they trickle, and people press the button."""

import asyncio

from blows import reach
from proxy import Direction
from scenario import Run, scenario
from topology import Cluster, Single, Topology


def doors(run: Run) -> list:
    """The proxies in front of whatever browsers connect to."""
    ports = run.topology.browser_doors()
    return [proxy for proxy in run.topology.proxies if proxy.port in ports]


def for_each_topology(name: str, about: str):
    """Registers a fault that is the same for one process and for many."""

    def register(play):
        where: dict[str, type[Topology]] = {"": Single, "cluster-": Cluster}
        for prefix, topology in where.items():
            scenario(prefix + name, about, topology, hang_ups=True)(play)
        return play

    return register


for moment in ("before-token", "mid-token", "mid-tool"):

    @for_each_topology(f"tab-cut-{moment}", f"every tab's connection is reset, {moment.replace('-', ' ')}")
    async def tab_cut(run: Run, moment: str = moment) -> None:
        await run.until_moment(moment)
        for door in doors(run):
            door.cut()


@for_each_topology("tab-cut-again-and-again", "every tab's connection is reset, many times during one answer")
async def tab_cut_again_and_again(run: Run) -> None:
    await run.ask("slow")
    for _ in range(run.rng.randrange(6, 12)):
        await asyncio.sleep(run.rng.uniform(0.05, 0.35))
        for door in doors(run):
            door.cut()


@for_each_topology("tab-half-open", "tabs' connections pass nothing more in mid-token and nobody is told")
async def tab_half_open(run: Run) -> None:
    await run.until_moment("mid-token")
    # Only what is open now hangs: whoever comes back gets through.
    for door in doors(run):
        for link in list(door.links):
            for flow in link.flows.values():
                flow.freeze()


@for_each_topology("tab-one-byte-a-second", "tabs get one byte a second in mid-token, then a usable network again")
async def tab_one_byte_a_second(run: Run) -> None:
    await run.until_moment("mid-token")
    for door in doors(run):
        for link in list(door.links):
            link.flows[Direction.DOWN].bytes_per_second = 1
    await asyncio.sleep(run.rng.uniform(3, 5))
    for door in doors(run):
        door.cut()


@for_each_topology("tab-reads-nothing", "tabs stop reading in mid-token for longer than the write time-out")
async def tab_reads_nothing(run: Run) -> None:
    await run.until_moment("mid-token")
    for tab in run.tabs:
        tab.reading.clear()
    await asyncio.sleep(run.rng.uniform(3, 4))
    for tab in run.tabs:
        tab.reading.set()


@for_each_topology("tab-refresh-at-every-frame", "every tab is reloaded after every single frame of an answer")
async def tab_refresh_at_every_frame(run: Run) -> None:
    await run.ask("tools")
    await run.until_acknowledged()
    for tab in run.tabs:
        tab.refreshing = True
    await asyncio.sleep(run.rng.uniform(1.5, 2.5))
    for tab in run.tabs:
        tab.refreshing = False


@for_each_topology("tab-final-frame-lost", "the final frame of an answer is lost with its connection")
async def tab_final_frame_lost(run: Run) -> None:
    await reach(run, "unacknowledged", doors(run), Direction.DOWN)
    await asyncio.sleep(run.rng.uniform(0.0, 0.5))
    for door in doors(run):
        door.cut()


@for_each_topology("tab-question-lost", "connections are reset while questions are on their way")
async def tab_question_lost(run: Run) -> None:
    for _ in range(3):
        await run.ask("quick")
        await asyncio.sleep(run.rng.uniform(0.0, 0.02))
        for door in doors(run):
            door.cut()
        await run.settle()


@for_each_topology("tab-answer-late", "everything a tab gets is 200 ms late, both ways, and cut in between")
async def tab_answer_late(run: Run) -> None:
    for door in doors(run):
        door.delay(0.2)
    await run.until_moment("mid-token")
    for door in doors(run):
        door.cut()
