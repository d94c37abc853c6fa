"""The two tests of the seed document, unchanged, against dragoman where they expect it: on port 8000."""

# What the document's second test uses without importing it.
import asyncio  # noqa: F401
import json  # noqa: F401
import socket
import sys
import warnings

import pytest
from document import DOCUMENT, FOLDER, HEADINGS, block, checksums, digest
from server import Server

sys.path.append(str(FOLDER / "shim"))

for name in ["unit_test.py", "integration_test.py"]:
    exec(compile((FOLDER / name).read_text(), FOLDER / name, "exec"))


@pytest.fixture(scope="module", autouse=True)
def dragoman():
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8000)) == 0:
            pytest.fail("port 8000 is taken; the seed document's clients connect to no other: free it")
    with Server(http="127.0.0.1:8000") as server:
        yield server


def test_the_code_is_the_documents():
    changed = [name for name, expected in checksums().items() if digest(name) != expected]
    assert not changed, "their checksums are others"
    assert set(checksums()) == set(HEADINGS)
    if not DOCUMENT.exists():
        warnings.warn(f"compared with their checksums only: {DOCUMENT.name} is not beside this checkout", stacklevel=1)
        return
    document = DOCUMENT.read_bytes()
    differing = [name for name in HEADINGS if (FOLDER / name).read_bytes() != block(document, HEADINGS[name])]
    assert not differing, f"they are not as in {DOCUMENT}"
