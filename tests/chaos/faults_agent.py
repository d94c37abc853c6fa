"""Faults of the agent that runs a turn, while another one is there."""

import asyncio

from blows import BLOWS, MOMENTS, awake, reach, strike
from proxy import Direction
from scenario import Run, scenario
from topology import Cluster


def agent_fault(blow: str, moment: str) -> None:
    about = f"the agent that runs a turn {BLOWS[blow]} {MOMENTS[moment]}"

    @scenario(f"agent-{blow}-{moment}", about, Cluster, failed_turns=blow != "term")
    async def play(run: Run) -> None:
        await reach(run, moment, run.cluster.redis_links, Direction.UP)
        victim = run.cluster.agents[run.runner()]
        await strike(run, victim, blow)
        # Everybody gets an end although it does not come back.
        await run.settle()
        await run.cluster.heal()
        if blow == "stop":
            await awake(run, victim)


for a_blow in BLOWS:
    for a_moment in MOMENTS:
        agent_fault(a_blow, a_moment)


@scenario(
    "agent-final-event-lost",
    "an agent is killed while the final event is on its way to the gateway",
    Cluster,
    failed_turns=True,
)
async def agent_final_event_lost(run: Run) -> None:
    await reach(run, "unacknowledged", run.cluster.agent_links, Direction.DOWN)
    await run.cluster.agents[run.runner()].kill()
    for link in run.cluster.agent_links:
        link.cut()


@scenario(
    "agent-kill-while-questions-wait",
    "an agent is killed while further questions wait for its turn",
    Cluster,
    failed_turns=True,
)
async def agent_kill_while_questions_wait(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.ask_again("quick")
    await asyncio.sleep(run.rng.uniform(0.0, 0.3))
    await run.cluster.agents[run.runner()].kill()


@scenario("agent-kill-question-on-its-way", "an agent is killed as it is given questions", Cluster, failed_turns=True)
async def agent_kill_question_on_its_way(run: Run) -> None:
    victim = run.rng.choice(run.cluster.agents)
    asking = asyncio.create_task(run.ask("slow"))
    await asyncio.sleep(run.rng.uniform(0.0, 0.03))
    await victim.kill()
    await asking


@scenario(
    "agents-kill-both",
    "both agents are killed in mid-token and come back a little later",
    Cluster,
    failed_turns=True,
    hang_ups=True,
)
async def agents_kill_both(run: Run) -> None:
    await run.until_moment("mid-token")
    for agent in run.cluster.agents:
        await agent.kill()
    await asyncio.sleep(run.rng.uniform(0.5, 4.0))
    await run.cluster.heal()


@scenario("agent-stop-for-a-moment", "the agent that runs a turn hangs for less than a lease", Cluster)
async def agent_stop_for_a_moment(run: Run) -> None:
    await run.until_moment("mid-token")
    victim = run.cluster.agents[run.runner()]
    await strike(run, victim, "stop")
    await asyncio.sleep(run.rng.uniform(0.5, 1.5))
    await awake(run, victim)


@scenario(
    "agent-kill-again-and-again",
    "agents are killed in turn, as soon as the other one is back",
    Cluster,
    failed_turns=True,
    hang_ups=True,
)
async def agent_kill_again_and_again(run: Run) -> None:
    await run.ask("slow")
    for _ in range(3):
        await asyncio.sleep(run.rng.uniform(0.2, 0.8))
        victim = run.rng.choice(run.cluster.agents)
        await victim.kill()
        await asyncio.sleep(run.rng.uniform(0.0, 0.5))
        await victim.start()
