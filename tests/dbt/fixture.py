"""Makes the artefacts of the project in `tiny` for the unit tests: `fixture.py DBT`, the dbt program.

They are what that dbt wrote, without what dragoman does not read: macros of dbt are most of a manifest.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FIXTURES = HERE.parent.parent / "src/catalog/dbt/tests"
# One of them stays, to be passed over.
MACRO = "macro.dbt.test_unique"


def build(dbt: str) -> None:
    """Runs dbt in a copy of the project and keeps what it leaves."""
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "tiny"
        shutil.copytree(HERE / "tiny", project)
        for command in (["build"], ["docs", "generate"]):
            subprocess.run(
                [dbt, "--no-version-check", *command, "--profiles-dir", "."], cwd=project, env=environment, check=True
            )
        manifest = json.loads((project / "target/manifest.json").read_text(encoding="utf-8"))
        catalog = json.loads((project / "target/catalog.json").read_text(encoding="utf-8"))
    manifest["macros"] = {MACRO: manifest["macros"][MACRO]}
    for section in ("docs", "disabled", "selectors", "child_map"):
        manifest[section] = {}
    for node in manifest["nodes"].values():
        node.pop("unrendered_config", None)
        if node.get("root_path"):
            node["root_path"] = None
    FIXTURES.mkdir(exist_ok=True)
    for name, artefact in (("manifest", manifest), ("catalog", catalog)):
        text = json.dumps(artefact, ensure_ascii=False, indent=1)
        (FIXTURES / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    build(sys.argv[1])
