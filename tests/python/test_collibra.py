"""Collibra as a source of the catalog, against a contract server: what it says is known, what goes wrong is told."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from concurrent import futures

import grpc
import pytest
import websockets
from collibra import CLIENT, COMMUNITY, DOMAIN, GRAPH, LINEAGE, OTHER_DOMAIN, USER, Collibra, demo_mart
from frames import ask
from server import Server
from test_catalogs import TABLES, bare, origins

SECRETS = (CLIENT[1], USER[1])
MODES = {"graph": {}, "rest": {"no_graph": True}, "words": {"no_graph": True, "words": True}}


def serve(collibra: Collibra, **settings: str) -> Server:
    """A dragoman that reads it; settings that are nothing are left out."""
    all_settings = collibra.settings | {key.replace("__", "."): value for key, value in settings.items()}
    return Server(**{key: value for key, value in all_settings.items() if value})


async def result(server: Server, question: str, tool: str):
    """What a tool said last when this was asked in a new session."""
    async with websockets.connect(server.ws(f"collibra-{uuid.uuid4().hex}")) as socket:
        turn = await ask(socket, question)
    said = [frame["content"] for frame in turn.tools if frame["tool_name"] == tool]
    assert said, f"{tool} was not called: {turn.final['content']}"
    return json.loads(said[-1])


def refused(collibra: Collibra, **settings: str) -> str:
    """What dragoman says when it cannot start."""
    server = serve(collibra, **settings)
    variables = {"DRAGOMAN_" + key.upper().replace(".", "_"): value for key, value in server.settings.items()}
    done = subprocess.run(
        [os.environ["DRAGOMAN"], "serve"],
        env=os.environ | variables,
        cwd=server.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert not [secret for secret in SECRETS if secret in said], said
    assert "panicked" not in said, said
    return said


@pytest.fixture(scope="module", params=MODES)
def read(request):
    """The demo mart, read in each way there is."""
    with Collibra(**MODES[request.param]) as collibra, serve(collibra) as server:
        yield collibra, server


async def test_all_that_the_demo_says_is_known(read):
    _, server = read
    for name, table in TABLES.items():
        if table["type"] == "SOURCE":
            continue
        details = await result(server, f"Describe the table {name}", "get_table_details")
        for field in ("schema", "type", "description", "grain", "owner", "refresh"):
            assert details[field] == table.get(field), (name, field)
        assert details["primary_key"] == table.get("primary_key", []), name
        filled = set(table.get("primary_key", []))
        told = [(one["name"], one["type"], one["description"], one["nullable"]) for one in details["columns"]]
        assert told == [
            (
                column["name"],
                column["type"],
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
        lineage = await result(server, f"Where does {name} come from?", "get_lineage")
        near = {bare(step["table"]) for step in lineage["upstream"] if step["distance"] == 1}
        assert near == origins(table), name
        assert lineage["recorded"] is bool(origins(table)), name


async def test_synonyms_are_found_and_sources_are_told_apart(read):
    _, server = read
    details = await result(server, "Describe the table dodavatelov", "get_table_details")
    assert details["name"] == "dimv_bs_supplier"
    lineage = await result(server, "Where does fact_bs_goods_receipt come from?", "get_lineage")
    (step,) = [step for step in lineage["upstream"] if step["distance"] == 1]
    assert bare(step["table"]) == "src_sap_ekbe"


def test_few_requests_one_token_and_the_trace_goes_along(read):
    collibra, server = read
    graph = collibra.faults.no_graph is False
    assert collibra.asked("/rest/oauth/v2/token") == 1
    assert 2 <= collibra.busiest <= 4, collibra.busiest
    assert len(collibra.requests) < 30, collibra.requests
    assert (collibra.asked("/rest/2.0/assets") == 0) is graph
    for headers in collibra.headers:
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", headers.get("traceparent", "")), headers
    assert len({headers["traceparent"].split("-")[1] for headers in collibra.headers}) == 1
    log = server.log.read_text()
    assert not [secret for secret in SECRETS if secret in log], log
    assert ("the Knowledge Graph API cannot be used" in log) is not graph, log
    if graph:
        assert "'resembles' (1)" in log, log


@pytest.mark.parametrize("faults", MODES.values(), ids=MODES)
def test_small_pages_hold_the_same_and_requests_stay_few_at_once(faults):
    with Collibra(**faults, slow=0.02) as collibra, serve(collibra, collibra__page_size="7") as server:
        assert collibra.busiest <= 4, collibra.busiest
        assert_whole(server, collibra)


def assert_whole(server: Server, collibra: Collibra) -> None:
    """The start says how much was read."""
    log = server.log.read_text()
    tables = sum(table["type"] != "SOURCE" for table in TABLES.values())
    columns = sum(len(table.get("columns", [])) for table in TABLES.values())
    assert f"{tables} tables" in log, log
    assert f"{columns} columns" in log, log
    assert collibra.asked(GRAPH) or collibra.asked("/rest/2.0/assets")


def test_more_relations_than_fit_are_asked_for():
    mart = demo_mart()
    hub = next(key for key, asset in mart.assets.items() if asset.display_name == "dimv_bs_company")
    for number in range(120):
        source = mart.add("00000000-0000-0000-0000-000000031304", f"Systems>lake>raw>file_{number}", f"file_{number}")
        mart.relate("00000000-0000-0000-0000-000000007069", source, hub)
        mart.relate("c0000000-0000-0000-0000-000000000002", hub, source)
    mart.sort()
    with Collibra(mart) as collibra, serve(collibra) as server:
        log = server.log.read_text()
        assert "'resembles' (121)" in log, log
        edges = sum(len(origins(table)) for table in TABLES.values())
        assert f"{edges + 120} lineage edges" in log, log
        assert_whole(server, collibra)


@pytest.mark.parametrize("faults", [{}, {"no_graph": True}], ids=["graph", "rest"])
async def test_only_some_domains_are_read(faults):
    mart = demo_mart()
    for asset in mart.assets.values():
        if ">dm_ba_purchase>" in asset.full_name:
            asset.domain = OTHER_DOMAIN
    with Collibra(mart, **faults) as collibra:
        with serve(collibra, collibra__domains=OTHER_DOMAIN) as server:
            assert "3 tables" in server.log.read_text(), server.log_tail()
            lineage = await result(server, "Where does factv_ba_supplier_spend come from?", "get_lineage")
            near = {bare(step["table"]) for step in lineage["upstream"]}
            # What is not read is where the record begins.
            assert near == origins(TABLES["factv_ba_supplier_spend"])
        with serve(collibra, collibra__communities=COMMUNITY) as server:
            assert "18 tables" in server.log.read_text(), server.log_tail()
        with serve(collibra, collibra__communities=COMMUNITY, collibra__domains=OTHER_DOMAIN) as server:
            assert_whole(server, collibra)
        said = refused(collibra, collibra__domains=DOMAIN.replace("1", "9"))
        assert "sees no table" in said, said


def test_a_user_signs_in_too():
    with Collibra() as collibra:
        user = {"collibra__username": USER[0], "collibra__password": USER[1]}
        with serve(collibra, collibra__client_id="", collibra__client_secret="", **user) as server:
            assert_whole(server, collibra)
        assert collibra.asked("/rest/oauth/v2/token") == 0
        user["collibra__password"] = "wrong"
        said = refused(collibra, collibra__client_id="", collibra__client_secret="", **user)
        assert "does not accept the collibra.username and collibra.password" in said, said


def test_a_token_that_ends_is_renewed_and_one_that_lasts_is_kept():
    with Collibra(expired=1) as collibra, serve(collibra, catalog_refresh="1s") as server:
        assert_whole(server, collibra)
        assert collibra.granted == 2
        readings = collibra.asked("/rest/2.0/assetTypes")
        until(lambda: collibra.asked("/rest/2.0/assetTypes") >= readings + 2)
        assert collibra.granted == 2
        collibra.revoke()
        until(lambda: collibra.granted == 3)
        until(lambda: collibra.asked("/rest/2.0/assetTypes") >= readings + 4)
        assert collibra.granted == 3
        assert "cannot be read" not in server.log.read_text(), server.log_tail()


def test_a_token_of_a_short_life_is_not_used_to_its_end():
    with Collibra(token_life=2) as collibra, serve(collibra, catalog_refresh="1s") as server:
        until(lambda: collibra.granted >= 3)
        assert "cannot be read" not in server.log.read_text(), server.log_tail()


def until(holds, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "faults",
    [{"limited": 2, "retry_after": "1"}, {"unavailable": 2}, {"cut": 2}],
    ids=["limited", "unavailable", "cut"],
)
def test_what_passes_is_waited_for(faults):
    with Collibra(**faults) as collibra:
        began = time.monotonic()
        with serve(collibra) as server:
            assert_whole(server, collibra)
            assert "Collibra is asked again" in server.log.read_text()
        if "retry_after" in faults:
            assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    ("faults", "settings", "said", "most"),
    [
        ({}, {"client_secret": "wrong"}, "does not accept the collibra.client_id and collibra.client_secret", 1),
        ({"expired": -1}, {}, "does not accept the token it gave for collibra.client_id", 12),
        ({"forbidden": GRAPH}, {}, f"does not allow {GRAPH}", 10),
        ({"forbidden": "/rest/2.0/relationTypes"}, {}, "does not allow /rest/2.0/relationTypes", 10),
        ({"html": True}, {}, "no Collibra: a page for people", 1),
        ({"redirect": True}, {}, "no Collibra: a redirect", 1),
        ({"nonsense": True}, {}, "cannot be understood", 10),
        ({"huge": True}, {}, "longer than 64 MiB", 10),
        ({"no_graph": True, "endless": True}, {}, "does not end: a page repeats those before", 20),
        ({"no_graph": True, "same_cursor": True}, {"page_size": "10"}, "does not end", 30),
        ({"endless": True}, {"page_size": "10"}, "does not end: a page repeats those before", 20),
        ({"no_assets": True}, {}, "sees no table", 10),
        ({"no_assets": True, "no_graph": True}, {}, "sees no table", 30),
        ({"cut": -1}, {"retries": "1", "retry_pause": "10ms"}, "broke off", 20),
        ({"limited": -1, "retry_after": "3600"}, {}, "status 429 (Slow down)", 10),
        ({"limited": -1}, {"retries": "2"}, "status 429 (Slow down)", 10),
        ({"unavailable": -1}, {"retries": "0"}, "status 503 (Being upgraded)", 10),
        ({"stuck": True}, {"request_timeout": "300ms", "retries": "0"}, "within 300ms", 10),
        ({}, {"types": "table=Sheet,view="}, "no type of assets Sheet", 10),
    ],
)
def test_what_goes_wrong_is_told(faults, settings, said, most):
    with Collibra(**faults) as collibra:
        told = refused(collibra, **{f"collibra__{key}": value for key, value in settings.items()})
        assert said in told, told
        assert len(collibra.requests) <= most, collibra.requests


def test_all_requests_together_have_a_deadline():
    with Collibra(stuck=True) as collibra:
        began = time.monotonic()
        told = refused(collibra, catalog_timeout="1s")
        assert "could not be read within 1s" in told, told
        assert time.monotonic() - began < 10


def test_nobody_there_and_nothing_to_sign_in_with_is_told():
    with Collibra() as collibra:
        told = refused(collibra, collibra__client_id="", collibra__client_secret="")
        assert "Set collibra.client_id and collibra.client_secret" in told, told
        assert not collibra.requests
    told = refused(collibra, collibra__retries="0")
    assert "no connection" in told, told
    told = refused(collibra, catalog="collibra:https://no-such-host.invalid", collibra__retries="0")
    assert "no connection" in told, told


def test_a_graph_that_does_not_take_the_query_is_done_without():
    said = "Field 'booleanAttributes' in type 'Asset' is undefined"
    with Collibra(graph_errors=said) as collibra, serve(collibra) as server:
        assert_whole(server, collibra)
        assert said in server.log.read_text(), server.log_tail()


@pytest.mark.parametrize("faults", [{}, {"no_graph": True}], ids=["graph", "rest"])
async def test_technical_lineage_tells_what_relations_do_not(faults):
    with Collibra(relations=False, **faults) as collibra:
        with serve(collibra) as server:
            lineage = await result(server, "Where does factv_ba_supplier_spend come from?", "get_lineage")
            assert lineage["recorded"] is False
            assert not [path for _, path in collibra.requests if path.startswith(LINEAGE)]
        with serve(collibra, collibra__technical_lineage="1000") as server:
            for name in ("factv_ba_supplier_spend", "fact_bs_purchase_order", "dimv_bs_company"):
                lineage = await result(server, f"Where does {name} come from?", "get_lineage")
                near = {bare(step["table"]) for step in lineage["upstream"] if step["distance"] == 1}
                assert near == origins(TABLES[name]), name
            assert collibra.busiest <= 4


async def test_technical_lineage_has_a_bound():
    with Collibra(relations=False) as collibra, serve(collibra, collibra__technical_lineage="2") as server:
        searches = collibra.asked(f"{LINEAGE}/entities")
        assert searches == 2
        assert "the technical lineage of 19 tables is not asked for" in server.log.read_text(), server.log_tail()


@pytest.mark.parametrize("status", [403, 404])
async def test_without_technical_lineage_relations_tell(status):
    with Collibra(no_lineage=status) as collibra, serve(collibra, collibra__technical_lineage="1000") as server:
        log = server.log.read_text()
        assert "the technical lineage cannot be read" in log, log
        lineage = await result(server, "Where does factv_ba_supplier_spend come from?", "get_lineage")
        near = {bare(step["table"]) for step in lineage["upstream"] if step["distance"] == 1}
        assert near == origins(TABLES["factv_ba_supplier_spend"])
        lineage = await result(server, "Where does dimv_bs_company come from?", "get_lineage")
        assert lineage["recorded"] is False


async def test_what_changes_is_read_again_and_what_breaks_stays():
    mart = demo_mart()
    with Collibra(mart) as collibra, serve(collibra, catalog_refresh="1s", collibra__retries="0") as server:
        asset = next(asset for asset in mart.assets.values() if asset.display_name == "dimv_bs_plant")
        asset.attributes["Description"] = "<p>Plants,<br>anew</p>"
        await eventually(server, lambda details: details["description"] == "Plants,\nanew")
        collibra.faults.unavailable = -1
        await eventually(server, lambda details: details.get("is_stale") is True)
        collibra.faults.unavailable = 0
        await eventually(server, lambda details: details.get("is_stale") is None)


async def eventually(server: Server, holds, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds(details := await result(server, "Describe the table dimv_bs_plant", "get_table_details")):
        assert time.monotonic() < deadline, details


class Collector(grpc.GenericRpcHandler):
    """An OpenTelemetry collector that keeps what it is sent, as it came."""

    def __init__(self):
        self.sent = b""

    def service(self, details):
        assert details.method == "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        return grpc.unary_unary_rpc_method_handler(self.keep)

    def keep(self, request: bytes, _context) -> bytes:
        self.sent += request
        return b""


def test_each_request_is_a_span_and_no_span_holds_a_secret():
    collector, workers = Collector(), futures.ThreadPoolExecutor(2)
    receiver = grpc.server(workers, handlers=[collector])
    port = receiver.add_insecure_port("127.0.0.1:0")
    receiver.start()
    with Collibra(expired=1) as collibra:
        # What is not sent yet when the server stops is sent then.
        with serve(collibra, telemetry__otlp_endpoint=f"http://127.0.0.1:{port}"):
            tokens = list(collibra.tokens)
        until(lambda: b"catalog load" in collector.sent)
    receiver.stop(None).wait()
    for text in ("http.request.method", "http.response.status_code", "POST /rest/oauth/v2/token", f"POST {GRAPH}"):
        assert text.encode() in collector.sent, text
    assert collector.sent.count(b"http.request.method") == len(collibra.requests)
    assert tokens
    for secret in (*SECRETS, *tokens):
        assert secret.encode() not in collector.sent


def test_the_contract_server_serves_alone():
    with Collibra() as collibra:
        request = urllib.request.Request(f"{collibra.url}/rest/2.0/assets?cursor=&limit=1")
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(request, timeout=5)
        assert refusal.value.code == 401
