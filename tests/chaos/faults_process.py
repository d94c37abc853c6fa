"""Faults of the one process that does everything: it comes back, and nobody else is there meanwhile."""

import asyncio

from blows import HURT, awake, each_blow, end, reach, strike
from proxy import Direction
from scenario import Run, scenario
from topology import Single


@each_blow
def process_fault(blow: str, moment: str, befalls: str) -> None:
    about = f"the one process {befalls}, and comes back"

    # The text of a turn that is not in the log yet lives in the process.
    @scenario(
        f"process-{blow}-{moment}", about, Single, lost_text=blow == "kill", failed_turns=blow == "kill", hang_ups=True
    )
    async def play(run: Run) -> None:
        await reach(run, moment, [run.single.web], Direction.DOWN)
        await strike(run, run.single.all, blow)
        run.single.web.cut()
        await asyncio.sleep(run.rng.uniform(0.0, 3.0))
        await run.single.heal()
        if blow == "stop":
            await awake(run, run.single.all)


@scenario(
    "process-kill-again-and-again", "the one process is killed as soon as it is back", Single, lost_text=True, **HURT
)
async def process_kill_again_and_again(run: Run) -> None:
    await run.until_moment("mid-token")
    for _ in range(4):
        await run.single.all.kill()
        await run.single.all.start()
        await asyncio.sleep(run.rng.uniform(0.0, 0.3))


@scenario("process-term-while-questions-wait", "the one process is told to end while questions wait", Single, **HURT)
async def process_term_while_questions_wait(run: Run) -> None:
    await run.until_moment("mid-token")
    await run.ask_again("slow")
    await end(run, run.single.all)
    await run.single.heal()
