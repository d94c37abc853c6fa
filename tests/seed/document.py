"""The code that frontends and tests were written from: which file here is which block of the seed document."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent
# Beside the checkout, where its authors keep it. It is no part of this repository; the files of code made from it are.
DOCUMENT = FOLDER.parents[2] / "shared/seed/000_329faa2f5ba979c2.txt"
HEADINGS = {
    "useWebSocket.ts": "### React Hook",
    "ChatComponent.tsx": "### Usage in Component",
    "ReconnectingWebSocket.ts": "### Reconnection (Client-side)",
    "unit_test.py": "### Unit Test",
    "integration_test.py": "### Integration Test",
}


def block(document: bytes, heading: str) -> bytes:
    """The first block of code under `heading`, byte for byte."""
    section = document.split(f"\n{heading}\n".encode(), 1)[1]
    fenced = section.split(b"\n```", 1)[1].split(b"\n", 1)[1]
    return fenced.split(b"\n```", 1)[0] + b"\n"


def checksums() -> dict[str, str]:
    """What the files were when they were taken from the document."""
    lines = (FOLDER / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def digest(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
