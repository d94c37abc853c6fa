"""The store cannot be reached: by nobody, or by the agent that runs a turn only."""

import asyncio

from blows import HURT, longer_than_a_lease
from proxy import Direction
from scenario import Run, scenario
from topology import LEASE_SECONDS, Cluster


def away(run: Run) -> None:
    """From now on no agent reaches the store."""
    for link in run.cluster.redis_links:
        link.unplug()


@scenario("store-down-at-connect", "the store is down when tabs connect", Cluster, **HURT)
async def store_down_at_connect(run: Run) -> None:
    away(run)
    for link in run.cluster.gateway_links:
        link.cut()
    await asyncio.sleep(run.rng.uniform(1.0, 3.0))
    await run.cluster.heal()


@scenario(
    "store-hangs-at-connect", "the store takes connections and answers nothing when tabs connect", Cluster, **HURT
)
async def store_hangs_at_connect(run: Run) -> None:
    for link in run.cluster.redis_links:
        link.freeze()
    for link in run.cluster.gateway_links:
        link.cut()
    await asyncio.sleep(run.rng.uniform(2.0, 5.0))
    await run.cluster.heal()


@scenario("store-down-at-send", "the store is down when questions are asked", Cluster, **HURT)
async def store_down_at_send(run: Run) -> None:
    away(run)
    await run.ask("quick")
    await asyncio.sleep(run.rng.uniform(0.5, 3.0))
    await run.cluster.heal()


@scenario("store-answer-lost-at-send", "questions reach the store, its answers do not come back", Cluster, **HURT)
async def store_answer_lost_at_send(run: Run) -> None:
    for link in run.cluster.redis_links:
        link.freeze(Direction.DOWN)
    await run.ask("quick")
    await asyncio.sleep(run.rng.uniform(0.1, 2.0))
    for link in run.cluster.redis_links:
        link.cut()
    await run.cluster.heal()


@scenario(
    "store-answer-lost-at-tool", "what a tool found reaches the store, whose answer to that does not come back", Cluster
)
async def store_answer_lost_at_tool(run: Run) -> None:
    await run.ask("tools")
    traps = [link.trap(Direction.UP, b"tool_result", hold=Direction.DOWN) for link in run.cluster.redis_links]
    await run.until(lambda: any(trap.sprung.is_set() for trap in traps), "a tool's result")
    await asyncio.sleep(run.rng.uniform(0.05, 0.3))
    for link in run.cluster.redis_links:
        link.cut()
    await run.cluster.heal()


@scenario("store-down-mid-turn", "the store is down for less than a lease, in mid-token", Cluster)
async def store_down_mid_turn(run: Run) -> None:
    await run.until_moment("mid-token")
    away(run)
    await asyncio.sleep(run.rng.uniform(0.3, 1.2))
    await run.cluster.heal()


@scenario("store-down-mid-turn-long", "the store is down for longer than a lease, in mid-tool", Cluster, **HURT)
async def store_down_mid_turn_long(run: Run) -> None:
    await run.until_moment("mid-tool")
    away(run)
    await asyncio.sleep(longer_than_a_lease(run))
    await run.cluster.heal()


@scenario("store-cut-again-and-again", "connections to the store are reset, many times in one answer", Cluster)
async def store_cut_again_and_again(run: Run) -> None:
    await run.ask("tools")
    for _ in range(run.rng.randrange(5, 10)):
        await asyncio.sleep(run.rng.uniform(0.05, 0.4))
        for link in run.cluster.redis_links:
            link.cut()


@scenario(
    "store-lost-to-the-runner",
    "only the agent that runs a turn loses the store, for longer than a lease",
    Cluster,
    **HURT,
)
async def store_lost_to_the_runner(run: Run) -> None:
    await run.until_moment("mid-token")
    link = run.cluster.redis_links[run.runner()]
    link.freeze()
    await asyncio.sleep(longer_than_a_lease(run))
    # What it had written and what it was told arrive after all, when others have gone on.
    link.thaw()
    await run.settle()


@scenario(
    "store-writes-lost-to-the-runner", "the runner's writes hang on their way, for longer than a lease", Cluster, **HURT
)
async def store_writes_lost_to_the_runner(run: Run) -> None:
    await run.until_moment("mid-token")
    link = run.cluster.redis_links[run.runner()]
    link.freeze(Direction.UP)
    await asyncio.sleep(longer_than_a_lease(run))
    link.thaw()
    await run.settle()


@scenario("store-answers-lost", "a write arrives and its answer does not: it is written again", Cluster)
async def store_answers_lost(run: Run) -> None:
    await run.ask("tools")
    for _ in range(6):
        await asyncio.sleep(run.rng.uniform(0.05, 0.3))
        for link in run.cluster.redis_links:
            link.freeze(Direction.DOWN)
        await asyncio.sleep(run.rng.uniform(0.02, 0.2))
        for link in run.cluster.redis_links:
            link.cut()
            link.thaw()


@scenario(
    "store-unreachable-for-a-lease",
    "nothing reaches the store for about a lease, nor what was said meanwhile: nobody's turn is over because of that",
    Cluster,
)
async def store_unreachable_for_a_lease(run: Run) -> None:
    await run.until_moment("mid-token")
    for link in run.cluster.redis_links:
        link.freeze()
    await asyncio.sleep(LEASE_SECONDS + run.rng.uniform(0.15, 0.5))
    # What is on its way is lost. Who comes first, the owner of a turn or whoever may take it for dead, is chance.
    for link in run.cluster.redis_links:
        link.cut()
        link.thaw()
