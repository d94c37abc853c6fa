"""Faults of the gateway that tabs are connected to, while another one is there."""

from blows import HURT, come_back, each_blow, kill_all, kill_while_asked, reach, strike
from proxy import Direction
from scenario import Run, scenario
from topology import Cluster


@each_blow
def gateway_fault(blow: str, moment: str, befalls: str) -> None:
    @scenario(
        f"gateway-{blow}-{moment}",
        f"the gateway of the asking tab {befalls}",
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
        await come_back(run, victim, blow)


@scenario(
    "gateways-kill-both", "both gateways are killed in mid-token and come back a little later", Cluster, hang_ups=True
)
async def gateways_kill_both(run: Run) -> None:
    await kill_all(run, run.cluster.gateways, 3.0)


@scenario(
    "gateway-and-agent-kill",
    "the gateway of the asking tab and its agent are killed together",
    Cluster,
    **HURT,
)
async def gateway_and_agent_kill(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.cluster.gateways[run.gateway_of_speaker()].kill()
    await run.cluster.agents[run.runner()].kill()


@scenario("gateway-kill-question-on-its-way", "gateways are killed as they are given questions", Cluster, hang_ups=True)
async def gateway_kill_question_on_its_way(run: Run) -> None:
    await kill_while_asked(run, run.cluster.gateways, "quick")
