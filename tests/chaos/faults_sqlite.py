"""Faults of the disk below SQLite: it is full, it is read-only."""

import asyncio
import os
from pathlib import Path

from blows import HURT
from scenario import Run, Violation, scenario
from topology import Single

DISK_BYTES = 4 << 20


async def as_root(*command: str) -> None:
    words = command if os.geteuid() == 0 else ("sudo", "-n", *command)
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)
    _, complaint = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)}: {complaint.decode().strip()}")


class SmallDisk(Single):
    """Everything in one process, on a small file system of its own. It takes root to mount one."""

    async def start(self) -> None:
        self.disk = self.database.parent
        options = f"size={DISK_BYTES},uid={os.geteuid()}"
        await as_root("mount", "-t", "tmpfs", "-o", options, "dragoman-chaos", str(self.disk))
        await super().start()

    async def end(self) -> None:
        await super().end()
        if self.disk.is_mount():
            await as_root("umount", "--lazy", str(self.disk))

    def fill(self) -> None:
        """Takes the last byte."""
        with self._filler.open("ab", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass

    def make_room(self) -> None:
        self._filler.unlink(missing_ok=True)

    async def heal(self) -> None:
        self.make_room()
        await super().heal()

    @property
    def _filler(self) -> Path:
        return self.disk / "filler"


@scenario("sqlite-full-at-send", "the disk is full when questions are asked", SmallDisk, **HURT)
async def sqlite_full_at_send(run: Run) -> None:
    run.topology.fill()
    await run.ask("quick")
    await asyncio.sleep(run.rng.uniform(0.5, 2.0))
    run.topology.make_room()


@scenario("sqlite-full-mid-turn", "the disk is full from mid-token on, for some seconds", SmallDisk, **HURT)
async def sqlite_full_mid_turn(run: Run) -> None:
    await run.until_moment("mid-token")
    run.topology.fill()
    await asyncio.sleep(run.rng.uniform(1.0, 6.0))
    run.topology.make_room()


@scenario(
    "sqlite-full-and-killed", "the disk is full in mid-token, and the process killed", SmallDisk, lost_text=True, **HURT
)
async def sqlite_full_and_killed(run: Run) -> None:
    await run.until_moment("mid-token")
    run.topology.fill()
    await asyncio.sleep(run.rng.uniform(0.0, 1.0))
    await run.single.all.kill()
    run.topology.make_room()
    await run.single.heal()


@scenario(
    "sqlite-read-only",
    "after a crash the disk is read-only: it does not start, then it does",
    SmallDisk,
    lost_text=True,
    **HURT,
)
async def sqlite_read_only(run: Run) -> None:
    await run.until_moment("mid-token")
    victim = run.single.all
    await victim.kill()
    await as_root("mount", "-o", "remount,ro", str(run.topology.disk))
    await victim.spawn()
    code = await victim.wait(15)
    await victim.kill()
    await as_root("mount", "-o", "remount,rw", str(run.topology.disk))
    # It says what is wrong instead of serving what it cannot keep.
    if code != 1 or "read-only" not in victim.log_tail().lower():
        seen = f"exit code {code}: {victim.log_tail(2)}"
        run.violations.append(Violation("a read-only store is refused", victim.name, "exit code 1, the reason", seen))
    await run.single.heal()
