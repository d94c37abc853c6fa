"""A turn waits until somebody allows a tool, and something goes wrong meanwhile."""

import asyncio

import grpc
from blows import end
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc
from invariants import Session
from scenario import Run, Violation, scenario
from topology import Cluster, Single

# How long a turn may take from the last decision to its end, on a busy machine.
DECIDED_SECONDS = 8.0


def asked(session: Session) -> str:
    """The call that waits in this session, as one of its tabs was told."""
    for tab in session.tabs:
        for connection in tab.connections:
            for frame in connection.frames:
                if frame["type"] == "approval":
                    return frame["call_id"]
    return ""


async def until_asked(run: Run) -> None:
    """Somebody asks in every session, and every turn waits."""
    await run.ask("permit")
    await run.until(lambda: all(asked(session) for session in run.sessions), "the tools that ask")
    # Also the other tool of the step is done, which nobody has to allow.
    await asyncio.sleep(run.rng.uniform(0.2, 0.6))


async def decide(port: int, session: Session, approved: bool) -> grpc.StatusCode:
    request = pb.DecideApprovalRequest(session_id=session.id, call_id=asked(session), approved=approved)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            await chat_pb2_grpc.ChatStub(channel).DecideApproval(request, timeout=5)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


async def decide_all(run: Run, port: int) -> None:
    """Yes or no in every session, by chance; each is acknowledged."""
    for session in run.sessions:
        code = await decide(port, session, run.rng.random() < 0.7)
        if code != grpc.StatusCode.OK:
            run.violations.append(Violation("a decision is taken", session.name, "OK", code.name))


async def answered(run: Run) -> None:
    """Every turn goes on now, to an answer."""
    await run.settle(DECIDED_SECONDS)
    final = run.leader.final
    if final is None or final["type"] != "agent":
        run.violations.append(Violation("what was decided goes on", run.speaker.name, "an answer", str(final)))


@scenario("approval-at-another-agent", "a tool is allowed over gRPC at the agent that does not run its turn", Cluster)
async def approval_at_another_agent(run: Run) -> None:
    await until_asked(run)
    await decide_all(run, run.cluster.agents[1 - run.runner()].grpc)
    await answered(run)


@scenario(
    "approval-agent-drained",
    "an agent is told to end while its turn waits for a tool to be allowed; the other one goes on waiting",
    Cluster,
)
async def approval_agent_drained(run: Run) -> None:
    await until_asked(run)
    victim = run.runner()
    await end(run, run.cluster.agents[victim])
    await asyncio.sleep(run.rng.uniform(0.0, 1.0))
    await decide_all(run, run.cluster.agents[1 - victim].grpc)
    await answered(run)


@scenario(
    "approval-between-two-agents",
    "a tool is allowed just when its turn goes from one agent to the other",
    Cluster,
)
async def approval_between_two_agents(run: Run) -> None:
    await until_asked(run)
    victim = run.runner()

    async def decide_meanwhile() -> None:
        # The drain takes three seconds, and what is left then is let go.
        await asyncio.sleep(run.rng.uniform(2.5, 3.5))
        await decide_all(run, run.cluster.agents[1 - victim].grpc)

    await asyncio.gather(end(run, run.cluster.agents[victim]), decide_meanwhile())
    await answered(run)


@scenario(
    "approval-agent-killed",
    "an agent is killed while its turn waits for a tool to be allowed: the turn ends as interrupted",
    Cluster,
    failed_turns=True,
)
async def approval_agent_killed(run: Run) -> None:
    await until_asked(run)
    victim = run.runner()
    await run.cluster.agents[victim].kill()
    await run.until(lambda: run.leader.final is not None, "the end of a turn whose agent is gone")
    survivor = run.cluster.agents[1 - victim].grpc
    speaking = next(session for session in run.sessions if session.id == run.speaker.session)
    late = await decide(survivor, speaking, True)
    if run.leader.final["type"] != "error" or late != grpc.StatusCode.NOT_FOUND:
        seen = f"{run.leader.final['type']}, then {late.name}"
        run.violations.append(Violation("a question ends with its agent", run.speaker.name, "error, NOT_FOUND", seen))
    for session in run.sessions:
        # Those that the other agent runs.
        await decide(survivor, session, True)


@scenario(
    "approval-connection-lost",
    "gateways lose their agents just when a tab allows a tool: the tab says it once",
    Cluster,
)
async def approval_connection_lost(run: Run) -> None:
    await until_asked(run)
    for session in run.sessions:
        await run.rng.choice(session.tabs).approve(asked(session), run.rng.random() < 0.7)
    await asyncio.sleep(run.rng.uniform(0.0, 0.01))
    for link in run.cluster.agent_links:
        link.cut()
    await answered(run)


@scenario(
    "approval-tabs-cut",
    "every tab loses its connection while a turn waits, and is told of it again",
    Single,
    hang_ups=True,
)
async def approval_tabs_cut(run: Run) -> None:
    await until_asked(run)
    before = {tab: len(tab.connections) for tab in run.tabs}
    run.single.web.cut()
    await run.until(lambda: all(len(tab.connections) > count for tab, count in before.items()), "other connections")
    old = [tab for tab in run.tabs if not tab.cursor]

    def told_again() -> bool:
        return all(any(frame["type"] == "approval" for frame in tab.connections[-1].frames) for tab in old)

    await run.until(told_again, "the question, again, for those without a cursor")
    await decide_all(run, run.single.all.grpc)
    await answered(run)
