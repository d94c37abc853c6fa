"""One mart, read from every source there is: the same questions have the same facts in their answers."""

import json
import uuid

import pytest
import websockets
from catalog_sources import DEMO, SOURCES, dbt_project
from frames import Turn, ask
from server import Server

TABLES = {table["name"]: table for table in json.loads(DEMO.read_text(encoding="utf-8"))["tables"]}
# What DuckDB calls the types of the demo; letters have no length there.
DUCKDB_TYPES = {"int": "INTEGER", "char": "VARCHAR", "numeric": "DECIMAL"}


@pytest.fixture(scope="module", params=SOURCES)
def mart(request):
    """A server that answers from the mart in one of the sources."""
    with SOURCES[request.param]() as settings, Server(**settings) as server:
        yield server


@pytest.fixture(scope="module")
def in_dbt():
    with dbt_project() as settings, Server(**settings) as server:
        yield server


async def asked(server: Server, question: str) -> Turn:
    """One question in a session of its own."""
    async with websockets.connect(server.ws(f"catalogs-{uuid.uuid4().hex}")) as socket:
        turn = await ask(socket, question)
    assert turn.final["type"] == "agent", turn.final
    return turn


def result(turn: Turn, tool: str):
    """What a tool said last in this turn."""
    said = [frame["content"] for frame in turn.tools if frame["tool_name"] == tool]
    assert said, f"{tool} was not called: {turn.final['content']}"
    return json.loads(said[-1])


def bare(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def origins(table: dict) -> set[str]:
    return {bare(name) for name in (table.get("lineage") or {}).get("upstream", [])}


async def test_which_facts_there_are(mart):
    turn = await asked(mart, "List all fact tables")
    facts = {name for name, table in TABLES.items() if table["type"] == "FACT"}
    listed = {row["name"] for row in result(turn, "list_tables") if row.get("type") == "FACT"}
    assert listed == facts
    assert all(name in turn.final["content"] for name in facts)


async def test_which_columns_a_table_has(mart):
    turn = await asked(mart, "Describe the table dimv_bs_supplier")
    columns = [column["name"] for column in TABLES["dimv_bs_supplier"]["columns"]]
    details = result(turn, "get_table_details")
    assert [column["name"] for column in details["columns"]] == columns
    assert details["source"] == "mart"
    assert "is_stale" not in details
    assert all(name in turn.final["content"] for name in columns)


async def test_how_two_tables_are_joined(mart):
    turn = await asked(mart, "How is fact_bs_purchase_order_item related to dimv_bs_supplier?")
    path = result(turn, "find_relationships")["paths"][0]
    joins = [
        (bare(join["from_table"]), join["from_columns"], bare(join["to_table"]), join["to_columns"])
        for join in path["joins"]
    ]
    assert joins == [
        ("fact_bs_purchase_order_item", ["order_number"], "fact_bs_purchase_order", ["order_number"]),
        ("fact_bs_purchase_order", ["supplier_key"], "dimv_bs_supplier", ["supplier_key"]),
    ]
    assert "fact_bs_purchase_order" in turn.final["content"]


async def test_which_tables_have_a_column(mart):
    turn = await asked(mart, "Which columns contain currency_code?")
    found = result(turn, "search_columns")
    columns = {(name, column["name"]) for name, table in TABLES.items() for column in table.get("columns", [])}
    wanted = {(table, column) for table, column in columns if "currency_code" in column}
    named = {(hit["table"], hit["column"]) for hit in found["columns"] if "currency_code" in hit["column"]}
    assert named == wanted
    assert all(table in turn.final["content"] for table, _ in wanted)


async def test_what_a_view_is_made_from(mart):
    turn = await asked(mart, "Where does factv_ba_supplier_spend come from?")
    lineage = result(turn, "get_lineage")
    near = {bare(step["table"]) for step in lineage["upstream"] if step["distance"] == 1}
    assert lineage["recorded"] is True
    assert near == origins(TABLES["factv_ba_supplier_spend"])
    assert all(name in turn.final["content"] for name in near)


def in_duckdb(text: str) -> str:
    word, bracket, rest = text.partition("(")
    word = DUCKDB_TYPES.get(word, word.upper())
    return word if word == "VARCHAR" else word + bracket + rest


async def test_dbt_says_all_that_the_demo_says(in_dbt):
    for name, table in TABLES.items():
        if table["type"] == "SOURCE":
            continue
        details = result(await asked(in_dbt, f"Describe the table {name}"), "get_table_details")
        for field in ("schema", "type", "description", "grain", "owner", "refresh"):
            assert details[field] == table.get(field), (name, field)
        assert details["primary_key"] == table.get("primary_key", []), name
        filled = set(table.get("primary_key", []))
        assert [
            (column["name"], column["type"], column["description"], column["nullable"]) for column in details["columns"]
        ] == [
            (
                column["name"],
                in_duckdb(column["type"]),
                column.get("description"),
                column["name"] not in filled and column.get("nullable", True),
            )
            for column in table["columns"]
        ], name
        keys = {(tuple(key["columns"]), bare(key["table"]), tuple(key["to_columns"])) for key in details["references"]}
        assert keys == {
            (tuple(key["columns"]), bare(key["references"]), tuple(key["to_columns"]))
            for key in table.get("foreign_keys", [])
        }, name
        lineage = result(await asked(in_dbt, f"Where does {name} come from?"), "get_lineage")
        near = {bare(step["table"]) for step in lineage["upstream"] if step["distance"] == 1}
        assert near == origins(table), name


async def test_dbt_knows_who_reads_a_table_and_goes_through_what_is_none(in_dbt):
    lineage = result(await asked(in_dbt, "What breaks if dimv_bs_material changes?"), "get_lineage")
    assert lineage["consumers"] == [{"name": "Purchasing dashboard (dashboard)", "reads": "factv_ba_supplier_spend"}]
    lineage = result(await asked(in_dbt, "Where does factv_ba_order_count come from?"), "get_lineage")
    assert [step["table"] for step in lineage["upstream"] if step["distance"] == 1] == ["fact_bs_purchase_order"]
