"""The demo mart in everything that a catalog can be read from.

Each entry of `SOURCES` is a context manager that makes the source, gives the value of the setting `catalog` and what
else has to be set, and takes the source away again.
"""

import atexit
import contextlib
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import demo_ddl
from collibra import Collibra
from postgres_server import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "src/catalog/demo.json"


@contextlib.contextmanager
def json_file() -> Iterator[dict[str, str]]:
    """The file itself."""
    yield {"catalog": f"mart={DEMO}"}


@contextlib.contextmanager
def dbt_project() -> Iterator[dict[str, str]]:
    """A project that dbt builds in DuckDB."""
    yield {"catalog": f"mart=dbt:{built_by_dbt()}/target"}


@contextlib.contextmanager
def collibra_server() -> Iterator[dict[str, str]]:
    """A server that answers as Collibra does."""
    with Collibra() as collibra:
        yield collibra.settings


@functools.cache
def built_by_dbt() -> Path:
    """The project's folder, with what dbt has left in it. Built once: that takes long."""
    dbt = os.environ.get("DBT")
    if not dbt:
        raise RuntimeError("DBT must name the dbt program: run these tests with tests/run catalogs")
    folder = Path(tempfile.mkdtemp(prefix="dragoman-dbt-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    load_script(ROOT / "tests/dbt/project.py").write(DEMO, folder)
    quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    for command in (["build"], ["docs", "generate"]):
        done = subprocess.run(
            [dbt, "--no-version-check", "--no-use-colors", *command, "--profiles-dir", "."],
            cwd=folder,
            env=os.environ | quiet,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@contextlib.contextmanager
def postgres_database() -> Iterator[dict[str, str]]:
    """A PostgreSQL server with the mart in a database, read by a role that may do nothing else."""
    with tempfile.TemporaryDirectory(prefix="dragoman-postgres-") as folder, PostgresServer(Path(folder)) as server:
        reader = "CREATE ROLE reader LOGIN PASSWORD 'only-reads';"
        grants = [
            f"GRANT USAGE ON SCHEMA {schema} TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader;"
            for schema in ("dm_bs_purchase", "dm_ba_purchase")
        ]
        server.run("\n".join([*demo_ddl.statements(), reader, *grants]))
        address = f"postgres://reader@127.0.0.1:{server.port}/postgres"
        yield {"catalog": f"mart={address}", "postgres__password": "only-reads"}


def load_script(path: Path):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCES = {
    "json": json_file,
    "dbt": dbt_project,
    "postgres": postgres_database,
    "collibra": collibra_server,
}
