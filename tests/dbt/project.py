"""Writes a dbt project that builds the demo mart in DuckDB: `project.py CATALOG FOLDER`.

CATALOG is `src/catalog/demo.json`. What it says of tables, columns, keys and lineage becomes what a dbt project says of
them: models, sources, tests, constraints and exposures, so that the artefacts dbt makes of it can be held against it.
"""

import json
import sys
from pathlib import Path

# Where no real source would be: they are made before the models are.
SOURCES = "source_systems"

PROJECT = {
    "name": "mart",
    "version": "1.0",
    "config-version": 2,
    "profile": "mart",
    "flags": {"send_anonymous_usage_stats": False},
    "vars": {},
}
PROFILE = {
    "mart": {
        "target": "dev",
        "outputs": {"dev": {"type": "duckdb", "path": "mart.duckdb", "threads": 2}},
    },
}
# The schemas of the catalog, not those of the developer before them.
MACRO = """{% macro generate_schema_name(custom, node) %}{{ custom or target.schema }}{% endmacro %}
"""
# Two models that no demo has: one that is no relation, and one that goes through it.
EPHEMERAL = "int_orders"
THROUGH = "factv_ba_order_count"
EXPOSURE = "Purchasing dashboard"


def duckdb_type(text: str) -> str:
    """The type as DuckDB reads it; what it has no name for is the nearest."""
    return "varchar" if text.startswith(("char", "varchar")) else text


def model(table: dict) -> str:
    """The SQL of a table: its columns, and what it is made from."""
    kind = "view" if table["type"] == "VIEW" else "table"
    config = f"{{{{ config(materialized='{kind}', schema='{table['schema']}') }}}}"
    columns = ",\n".join(
        f"  cast(null as {duckdb_type(column['type'])}) as {column['name']}" for column in table["columns"]
    )
    origins = [relation(name) for name in upstream(table)]
    made_from = "\n  cross join ".join(origins) if origins else "(select 1)"
    return f"{config}\nselect\n{columns}\nfrom {made_from}\nwhere false\n"


def upstream(table: dict) -> list[str]:
    """The names of what a table is made from."""
    return (table.get("lineage") or {}).get("upstream", [])


def relation(name: str) -> str:
    """A qualified name as dbt writes it."""
    schema, table = name.split(".")
    if schema == SOURCES:
        return f"{{{{ source('{schema}', '{table}') }}}}"
    return f"{{{{ ref('{table}') }}}}"


def properties(table: dict) -> dict:
    """What `schema.yml` says of a table."""
    key = table.get("primary_key", [])
    columns = []
    for column in table["columns"]:
        tests = []
        if column.get("nullable") is False or column["name"] in key:
            tests.append("not_null")
        if [column["name"]] == key:
            tests.append("unique")
        tests += [
            {"relationships": {"arguments": {"to": f"ref('{bare(fk)}')", "field": fk["to_columns"][0]}}}
            for fk in table.get("foreign_keys", [])
            if fk["columns"] == [column["name"]]
        ]
        columns.append({"name": column["name"], "description": column.get("description", ""), "data_tests": tests})
    constraints = []
    if len(key) > 1:
        constraints.append({"type": "primary_key", "columns": key})
    constraints += [
        {
            "type": "foreign_key",
            "columns": fk["columns"],
            "to": f"ref('{bare(fk)}')",
            "to_columns": fk["to_columns"],
        }
        for fk in table.get("foreign_keys", [])
        if len(fk["columns"]) > 1
    ]
    meta = {field: table[field] for field in ("grain", "owner", "refresh", "synonyms") if table.get(field)}
    return {
        "name": table["name"],
        "description": table.get("description", ""),
        "config": {"meta": meta},
        "constraints": constraints,
        "columns": columns,
    }


def bare(key: dict) -> str:
    """The name of the table a key refers to."""
    return key["references"].split(".")[1]


def write(catalog: Path, folder: Path) -> None:
    """Writes the project."""
    tables = json.loads(catalog.read_text(encoding="utf-8"))["tables"]
    sources = [table for table in tables if table["type"] == "SOURCE"]
    models = [table for table in tables if table["type"] != "SOURCE"]
    create = [f"create schema if not exists {SOURCES}"]
    create += [f"create table if not exists {SOURCES}.{table['name']} (id integer)" for table in sources]
    files = {
        "dbt_project.yml": json.dumps({**PROJECT, "on-run-start": create}),
        "profiles.yml": json.dumps(PROFILE),
        "macros/schema.sql": MACRO,
        "models/schema.yml": json.dumps(
            {
                "sources": [
                    {
                        "name": SOURCES,
                        "tables": [
                            {"name": table["name"], "description": table.get("description", "")} for table in sources
                        ],
                    },
                ],
                "models": [properties(table) for table in models],
                "exposures": [
                    {
                        "name": "purchasing_dashboard",
                        "label": EXPOSURE,
                        "type": "dashboard",
                        "owner": {"name": "Purchasing"},
                        "depends_on": ["ref('factv_ba_supplier_spend')"],
                    },
                ],
            },
        ),
        f"models/{EPHEMERAL}.sql": "{{ config(materialized='ephemeral') }}\n"
        "select order_number from {{ ref('fact_bs_purchase_order') }}\n",
        f"models/{THROUGH}.sql": "{{ config(materialized='view', schema='dm_ba_purchase') }}\n"
        f"select count(*) as orders from {{{{ ref('{EPHEMERAL}') }}}}\n",
    }
    files |= {f"models/{table['name']}.sql": model(table) for table in models}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML too.
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
