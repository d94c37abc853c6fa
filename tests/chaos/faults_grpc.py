"""Faults of the way between gateways and agents, while the processes are well."""

import asyncio

from blows import longer_than_a_lease
from proxy import Direction
from scenario import Run, scenario
from topology import Cluster


@scenario("grpc-connection-reset", "the connections to the agent that runs a turn are reset in mid-token", Cluster)
async def grpc_connection_reset(run: Run) -> None:
    await run.until_moment("mid-token")
    run.cluster.agent_links[run.runner()].cut()


@scenario("grpc-connections-reset-all", "the connections to all agents are reset, many times in one answer", Cluster)
async def grpc_connections_reset_all(run: Run) -> None:
    await run.ask("slow")
    for _ in range(run.rng.randrange(4, 9)):
        await asyncio.sleep(run.rng.uniform(0.1, 0.5))
        for link in run.cluster.agent_links:
            link.cut()


@scenario("grpc-streams-reset", "every gRPC stream is reset (RST_STREAM) in mid-token, the connections stay", Cluster)
async def grpc_streams_reset(run: Run) -> None:
    await run.until_moment("mid-token")
    count = 0
    for proxy in run.cluster.agent_links:
        for link in proxy.links:
            count += link.tampering.reset_streams()
    assert count, "no stream was open"


@scenario("grpc-go-away", "every gRPC connection is told GOAWAY in mid-token, by a balancer that stays", Cluster)
async def grpc_go_away(run: Run) -> None:
    await run.until_moment("mid-token")
    for proxy in run.cluster.agent_links:
        for link in proxy.links:
            link.tampering.go_away()


@scenario("grpc-stall", "the runner's answers to gateways stall in mid-token, nobody is told", Cluster)
async def grpc_stall(run: Run) -> None:
    await run.until_moment("mid-token")
    run.cluster.agent_links[run.runner()].freeze(Direction.DOWN)
    await run.settle()


@scenario("grpc-half-open", "nothing passes between gateways and the runner in mid-token, either way", Cluster)
async def grpc_half_open(run: Run) -> None:
    await run.until_moment("mid-token")
    run.cluster.agent_links[run.runner()].freeze()
    await asyncio.sleep(longer_than_a_lease(run))
    await run.settle()


@scenario("grpc-questions-stall", "what gateways send to an agent stalls while questions are on their way", Cluster)
async def grpc_questions_stall(run: Run) -> None:
    victim = run.rng.choice(run.cluster.agent_links)
    victim.freeze(Direction.UP)
    await run.ask("quick")
    await run.settle()


@scenario("grpc-agent-unreachable", "one agent cannot be reached when tabs connect and ask", Cluster, hang_ups=True)
async def grpc_agent_unreachable(run: Run) -> None:
    victim = run.rng.choice(run.cluster.agent_links)
    victim.unplug()
    for link in run.cluster.gateway_links:
        link.cut()
    await run.ask("quick")
    await run.settle()


@scenario("grpc-no-agent-reachable", "no agent can be reached for some seconds, in mid-token", Cluster, hang_ups=True)
async def grpc_no_agent_reachable(run: Run) -> None:
    await run.until_moment("mid-token")
    for link in run.cluster.agent_links:
        link.unplug()
    await asyncio.sleep(run.rng.uniform(1.0, 4.0))
    await run.cluster.heal()


@scenario("grpc-latency", "200 ms each way between gateways and agents", Cluster)
async def grpc_latency(run: Run) -> None:
    for link in run.cluster.agent_links:
        link.delay(0.2)
    await run.ask("tools")
    await run.settle()
