"""Faults of the gateway that tabs are connected to, while another one is there."""

import asyncio

from blows import BLOWS, MOMENTS, awake, reach, strike
from proxy import Direction
from scenario import Run, scenario
from topology import Cluster


def gateway_fault(blow: str, moment: str) -> None:
    @scenario(
        f"gateway-{blow}-{moment}",
        f"the gateway of the asking tab {BLOWS[blow]} {MOMENTS[moment]}",
        Cluster,
        hang_ups=True,
    )
    async def play(run: Run) -> None:
        await reach(run, moment, run.cluster.gateway_links, Direction.DOWN)
        victim = run.cluster.gateways[run.gateway_of_speaker()]
        await strike(run, victim, blow)
        if moment == "unacknowledged":
            # What was held is lost with its connection.
            for link in run.cluster.gateway_links:
                link.cut()
        await run.settle()
        await run.cluster.heal()
        if blow == "stop":
            await awake(run, victim)


for a_blow in BLOWS:
    for a_moment in MOMENTS:
        gateway_fault(a_blow, a_moment)


@scenario(
    "gateways-kill-both", "both gateways are killed in mid-token and come back a little later", Cluster, hang_ups=True
)
async def gateways_kill_both(run: Run) -> None:
    await run.until_moment("mid-token")
    for gateway in run.cluster.gateways:
        await gateway.kill()
    await asyncio.sleep(run.rng.uniform(0.5, 3.0))
    await run.cluster.heal()


@scenario(
    "gateway-and-agent-kill",
    "the gateway of the asking tab and its agent are killed together",
    Cluster,
    failed_turns=True,
    hang_ups=True,
)
async def gateway_and_agent_kill(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.gateways[run.gateway_of_speaker()].kill()
    await run.cluster.agents[run.runner()].kill()


@scenario("gateway-kill-question-on-its-way", "gateways are killed as they are given questions", Cluster, hang_ups=True)
async def gateway_kill_question_on_its_way(run: Run) -> None:
    victim = run.rng.choice(run.cluster.gateways)
    asking = asyncio.create_task(run.ask("quick"))
    await asyncio.sleep(run.rng.uniform(0.0, 0.03))
    await victim.kill()
    await asking
