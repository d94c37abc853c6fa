"""Faults of the agent that runs a turn, while another one is there."""

import asyncio

from blows import HURT, awake, come_back, each_blow, kill_all, kill_while_asked, reach, strike
from proxy import Direction
from scenario import Run, scenario
from topology import Cluster


@each_blow
def agent_fault(blow: str, moment: str, befalls: str) -> None:
    about = f"the agent that runs a turn {befalls}"

    @scenario(f"agent-{blow}-{moment}", about, Cluster, failed_turns=blow != "term")
    async def play(run: Run) -> None:
        await reach(run, moment, run.cluster.redis_links, Direction.UP)
        victim = run.cluster.agents[run.runner()]
        await strike(run, victim, blow)
        await come_back(run, victim, blow)


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
    await kill_while_asked(run, run.cluster.agents, "slow")


@scenario(
    "agents-kill-both",
    "both agents are killed in mid-token and come back a little later",
    Cluster,
    **HURT,
)
async def agents_kill_both(run: Run) -> None:
    await kill_all(run, run.cluster.agents, 4.0)


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
    **HURT,
)
async def agent_kill_again_and_again(run: Run) -> None:
    await run.ask("slow")
    for _ in range(3):
        await asyncio.sleep(run.rng.uniform(0.2, 0.8))
        victim = run.rng.choice(run.cluster.agents)
        await victim.kill()
        await asyncio.sleep(run.rng.uniform(0.0, 0.5))
        await victim.start()
