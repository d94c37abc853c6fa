"""A turn is cancelled, from wherever, and something else goes wrong."""

import asyncio
import time

import grpc
from dragoman.chat.v1 import chat_pb2 as pb
from dragoman.chat.v1 import chat_pb2_grpc
from scenario import Run, Violation, scenario
from topology import Cluster, Single

# How long a turn may go on after it was cancelled, on a busy machine.
CANCEL_SECONDS = 2.0


async def cancelled(run: Run) -> None:
    """The leading turn ends as cancelled, soon."""
    began = time.monotonic()
    await run.until(lambda: run.leader.final is not None, "the end of a cancelled turn")
    took, final = time.monotonic() - began, run.leader.final
    if final.get("finish") != "cancelled" or took > CANCEL_SECONDS:
        seen = f"{final['type']}, finish {final.get('finish')}, after {took:.1f} s"
        expected = f"finish cancelled, within {CANCEL_SECONDS} s"
        run.violations.append(Violation("a cancelled turn ends at once", run.speaker.name, expected, seen))


async def cancel_over_grpc(run: Run, port: int) -> None:
    request = pb.CancelTurnRequest(session_id=run.speaker.session)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await chat_pb2_grpc.ChatStub(channel).CancelTurn(request, timeout=5)


@scenario("cancel-by-another-tab", "a turn is cancelled by a tab that did not ask, at any gateway", Cluster)
async def cancel_by_another_tab(run: Run) -> None:
    await run.until_moment("mid-token")
    tabs = [tab for tab in run.tabs if tab.session == run.speaker.session]
    await run.rng.choice(tabs).cancel()
    await cancelled(run)


@scenario("cancel-at-another-agent", "a turn is cancelled over gRPC at the agent that does not run it", Cluster)
async def cancel_at_another_agent(run: Run) -> None:
    await run.until_moment("mid-token")
    await cancel_over_grpc(run, run.cluster.agents[1 - run.runner()].grpc)
    await cancelled(run)


@scenario("cancel-of-one-process", "a turn is cancelled over gRPC while its tabs are cut", Single, hang_ups=True)
async def cancel_of_one_process(run: Run) -> None:
    await run.until_moment("mid-token")
    run.single.web.cut()
    await cancel_over_grpc(run, run.single.all.grpc)
    await cancelled(run)


@scenario(
    "cancel-and-kill", "a turn is cancelled at one agent and the one that runs it is killed", Cluster, failed_turns=True
)
async def cancel_and_kill(run: Run) -> None:
    await run.until_moment("mid-token")
    victim = run.runner()
    await cancel_over_grpc(run, run.cluster.agents[1 - victim].grpc)
    await asyncio.sleep(run.rng.uniform(0.0, 0.05))
    await run.cluster.agents[victim].kill()
