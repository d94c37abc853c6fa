"""llama.cpp's own server under test: started on a free port, awaited, and stopped by its pid."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server import die_with_parent

START_SECONDS = 60
STOP_SECONDS = 20

# Tokens of the vocabulary that llama_model.py writes: a byte of ASCII, as a letter, is 229 after its code.
STOP, END = 2, 4
TOOL_CALL = 356


def letter(text: str) -> int:
    return ord(text) + 229


class Llama:
    """Serves a model of random weights."""

    def __init__(self, model: str = "noise", context: int = 32_768, key: str = ""):
        self.model = model
        self.context = context
        self.key = key
        self.folder = Path(tempfile.mkdtemp(prefix="dragoman-llama-"))
        self.log = self.folder / "llama.log"
        self.process: subprocess.Popen | None = None
        self.url = ""

    def __enter__(self) -> "Llama":
        python, models = os.environ.get("LLAMA"), os.environ.get("LLAMA_MODELS")
        if not python or not models:
            raise RuntimeError("LLAMA and LLAMA_MODELS must name a Python and a folder: run this with tests/run models")
        model = Path(models) / f"{self.model}.gguf"
        program = Path(__file__).with_name("llama_server.py")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, program, model, str(self.context), self.key],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        try:
            self.url = self.wait_for(r"^listening on (http://\S+)$", START_SECONDS).group(1)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, *_) -> None:
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"llama.cpp did not stop within {STOP_SECONDS} s and is killed", file=sys.stderr)
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def printed(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, seconds: float) -> re.Match:
        """Waits until the server has printed this."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.printed(), re.MULTILINE)):
            code = self.process.poll()
            if code is not None:
                raise RuntimeError(f"llama.cpp ended with {code}:\n{self.printed()}")
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"llama.cpp did not print {pattern!r} within {seconds} s:\n{self.printed()[-4000:]}"
                )
            time.sleep(0.02)
        return found
