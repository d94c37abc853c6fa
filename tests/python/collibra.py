"""A contract server: it answers as Collibra's APIs do, in the shapes its own and other people's clients rely on.

It holds the demo mart. What it can be made to do wrong is a field of `Faults`. As a program it prints its address and
serves until it is stopped:

    python3 tests/python/collibra.py
"""

import base64
import contextlib
import json
import re
import threading
import time
import urllib.parse
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "src/catalog/demo.json"

CLIENT = ("dragoman", "s3cret&more=+")
USER = ("steward", "p4ss:word")

TABLE = "00000000-0000-0000-0000-000000031007"
COLUMN = "00000000-0000-0000-0000-000000031008"
VIEW = "00000000-0000-0000-0001-000400000009"
FILE = "00000000-0000-0000-0000-000000031304"
ASSET_TYPES = {TABLE: "Table", COLUMN: "Column", VIEW: "DatabaseView", FILE: "File"}
COLUMN_OF = "00000000-0000-0000-0000-000000007042"
TARGETS = "00000000-0000-0000-0000-000000007069"
REFERS = "c0000000-0000-0000-0000-000000000001"
SIMILAR = "c0000000-0000-0000-0000-000000000002"
# Source role, target role, public id.
RELATION_TYPES = {
    COLUMN_OF: ("is part of", "contains", "ColumnIsPartOfTable"),
    TARGETS: ("targets", "sources", "DataElementTargetsDataElement"),
    REFERS: ("refers to", "is referred to by", "ColumnRefersToColumn"),
    SIMILAR: ("resembles", "resembles", "TableResemblesTable"),
}
ATTRIBUTE_TYPES = [
    "Description",
    "Technical Data Type",
    "Column Position",
    "Is Nullable",
    "Is Primary Key",
    "Grain",
    "Data Owner",
    "Refresh",
    "Also Known As",
    "Number of Rows",
]
DOMAIN = "d0000000-0000-0000-0000-000000000001"
OTHER_DOMAIN = "d0000000-0000-0000-0000-000000000002"
COMMUNITY = "e0000000-0000-0000-0000-000000000001"
GRAPH = "/graphql/knowledgeGraph/v1"
LINEAGE = "/technical_lineage_resource/rest/lineageGraphRead/v1"

# What a Collibra like this one needs to be told, besides who asks.
SETTINGS = {
    "collibra.relations": "key=ColumnRefersToColumn",
    "collibra.attributes": "grain=Grain,owner=Data Owner,refresh=Refresh,synonyms=Also Known As",
}


@dataclass
class Faults:
    """What goes wrong, and how often; a negative number is always."""

    no_graph: bool = False  # 404, as of old versions
    graph_errors: str = ""  # what GraphQL complains about
    expired: int = 0  # answers of 401 `expiredToken`
    limited: int = 0  # answers of 429
    retry_after: str = "0"
    unavailable: int = 0  # answers of 503
    cut: int = 0  # answers that break off
    slow: float = 0.0  # seconds before each answer
    stuck: bool = False  # answers that never come, except for the token
    html: bool = False  # a page to sign in, with status 200
    redirect: bool = False
    forbidden: str = ""  # paths that begin so
    endless: bool = False  # a cursor that always leads on, to the same
    same_cursor: bool = False  # a cursor that leads to itself
    huge: bool = False  # an answer of more than 64 MiB
    no_assets: bool = False
    nonsense: bool = False  # no JSON
    no_lineage: int = 200  # status of the technical lineage
    token_life: int = 3600
    words: bool = False  # booleans as words, numbers as text
    relations: bool = True  # lineage is in relations


@dataclass
class Asset:
    """One asset, with its attributes by name."""

    id: str
    type: str
    full_name: str
    display_name: str
    domain: str = DOMAIN
    attributes: dict[str, object] = field(default_factory=dict)


@dataclass
class Mart:
    """Assets and relations, by id, in the order of their ids."""

    assets: dict[str, Asset] = field(default_factory=dict)
    # id: (type, source, target)
    relations: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def add(self, kind: str, full_name: str, display_name: str, **attributes: object) -> str:
        """A new asset; attributes that are nothing are left out."""
        key = id_of(f"asset {full_name}")
        kept = {name: value for name, value in attributes.items() if value not in (None, "")}
        self.assets[key] = Asset(key, kind, full_name, display_name, attributes=kept)
        return key

    def relate(self, kind: str, source: str, target: str) -> None:
        """A new relation."""
        self.relations[id_of(f"{kind} {source} {target}")] = (kind, source, target)

    def sort(self) -> None:
        """Pages follow each other by id."""
        self.assets = dict(sorted(self.assets.items()))
        self.relations = dict(sorted(self.relations.items()))


def id_of(text: str) -> str:
    """Always the same id for a text."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def demo_mart() -> Mart:
    """The demo, as Collibra would hold it: full names, rich text, sources that are no tables."""
    mart, demo = Mart(), json.loads(DEMO.read_text(encoding="utf-8"))
    tables: dict[str, str] = {}
    columns: dict[tuple[str, str], str] = {}
    for table in demo["tables"]:
        name = f"{table['schema']}.{table['name']}"
        is_source = table["type"] == "SOURCE"
        full_name = f"Systems>{'erp' if is_source else 'dap_gold_prod'}>{table['schema']}>{table['name']}"
        kind = FILE if is_source else VIEW if table["type"] == "VIEW" else TABLE
        tables[name] = mart.add(
            kind,
            full_name,
            table["name"],
            **{
                "Description": rich(table.get("description")),
                "Grain": table.get("grain"),
                "Data Owner": table.get("owner"),
                "Refresh": table.get("refresh"),
                "Also Known As": ", ".join(table.get("synonyms", [])),
                "Number of Rows": 1000.0,
            },
        )
        key = table.get("primary_key", [])
        for place, column in enumerate(table.get("columns", []), 1):
            columns[name, column["name"]] = mart.add(
                COLUMN,
                f"{full_name}>{column['name']}(column)",
                column["name"],
                **{
                    "Description": rich(column.get("description")),
                    "Technical Data Type": column["type"],
                    "Column Position": float(place),
                    "Is Nullable": column.get("nullable", True),
                    "Is Primary Key": column["name"] in key,
                },
            )
            mart.relate(COLUMN_OF, columns[name, column["name"]], tables[name])
    for table in demo["tables"]:
        name = f"{table['schema']}.{table['name']}"
        for key in table.get("foreign_keys", []):
            for own, other in zip(key["columns"], key["to_columns"], strict=True):
                mart.relate(REFERS, columns[name, own], columns[key["references"], other])
        for origin in (table.get("lineage") or {}).get("upstream", []):
            mart.relate(TARGETS, tables[origin], tables[name])
    plant, company = tables["dm_bs_purchase.dimv_bs_plant"], tables["dm_bs_purchase.dimv_bs_company"]
    mart.relate(SIMILAR, plant, company)
    mart.sort()
    return mart


def rich(text: str | None) -> str | None:
    """Plain text as the editor there writes it."""
    if text is None:
        return None
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<p>{escaped.replace(' ', ' <b></b>', 1)}</p>"


class Answer(Exception):
    """An answer that ends the work on a request."""

    def __init__(self, status: int, body: object = None, **headers: str):
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def complaint(status: int, code: str, message: str, **headers: str) -> Answer:
    """A refusal in the shape that all of its APIs share."""
    return Answer(
        status,
        {"statusCode": status, "errorCode": code, "titleMessage": code, "userMessage": message},
        **headers,
    )


class Collibra:
    """The server, with what it was asked."""

    def __init__(self, mart: Mart | None = None, **faults: object):
        self.mart = mart or demo_mart()
        self.faults = Faults(**faults)
        self.requests: list[tuple[str, str]] = []  # method and path
        self.headers: list[dict[str, str]] = []
        self.tokens: dict[str, float] = {}  # when each ends
        self.granted = 0
        self.busy = 0
        self.busiest = 0
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.stopped = threading.Event()

    def __enter__(self) -> "Collibra":
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.http.shutdown()
        self.http.server_close()

    @property
    def settings(self) -> dict[str, str]:
        """What a dragoman needs to read it, as an OAuth client."""
        return SETTINGS | {
            "catalog": f"mart=collibra:{self.url}",
            "collibra.client_id": CLIENT[0],
            "collibra.client_secret": CLIENT[1],
        }

    def asked(self, path: str) -> int:
        """How often this path was asked for."""
        return Counter(asked for _, asked in self.requests)[path]

    def happens(self, fault: str) -> bool:
        """Takes one of the times a fault is due."""
        with self.lock:
            left = getattr(self.faults, fault)
            if left > 0:
                setattr(self.faults, fault, left - 1)
            return left != 0

    def revoke(self) -> None:
        """No token that was granted is good any more."""
        with self.lock:
            self.tokens.clear()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collibra = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                collibra.serve(self, b"")

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                collibra.serve(self, self.rfile.read(length))

            def log_message(self, *_: object) -> None:
                """Nothing is printed but the address."""

        return Handler

    def serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answers one request."""
        path, _, query = request.path.partition("?")
        with self.lock:
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
            self.requests.append((request.command, path))
            self.headers.append(dict(request.headers))
        try:
            status, answer, headers = self._answer(request, path, query, body)
        finally:
            with self.lock:
                self.busy -= 1
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._send(request, path, status, answer, headers)

    def _send(self, request, path: str, status: int, answer: bytes, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        if status == 200 and not path.endswith("/token") and self.happens("cut"):
            request.wfile.write(answer[: len(answer) // 2])
            request.wfile.flush()
            request.connection.close()
            request.close_connection = True
            return
        request.wfile.write(answer)

    def _answer(self, request, path: str, query: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        try:
            if self.faults.html:
                page = b"<!DOCTYPE html><html><body>Sign in</body></html>"
                return 200, page, {"Content-Type": "text/html;charset=utf-8"}
            if self.faults.redirect:
                raise Answer(302, None, Location="https://login.example/")
            answer = self._route(request, path, urllib.parse.parse_qs(query, keep_blank_values=True), body)
            status, headers = 200, {}
        except Answer as refusal:
            answer, status, headers = refusal.body, refusal.status, refusal.headers
        text = b"" if answer is None else json.dumps(answer).encode()
        if status == 200 and not path.endswith("/token"):
            if self.faults.huge:
                text = b" " * (65 * 1024 * 1024) + text
            if self.faults.nonsense:
                text = text[:-2]
        return status, text, headers | {"Content-Type": "application/json"}

    def _route(self, request, path: str, query: dict[str, list[str]], body: bytes) -> object:
        if path == "/rest/oauth/v2/token":
            return self._token(urllib.parse.parse_qs(body.decode()))
        self._check_account(request.headers.get("Authorization", ""))
        if self.faults.stuck:
            self.stopped.wait(60)
        time.sleep(self.faults.slow)
        if self.faults.forbidden and path.startswith(self.faults.forbidden):
            raise complaint(403, "forbidden", "You do not have the permission for this.")
        if self.happens("limited"):
            raise complaint(429, "tooManyRequests", "Slow down.", Retry_After=self.faults.retry_after)
        if self.happens("unavailable"):
            raise complaint(503, "unavailable", "Being upgraded.")
        routes: dict[str, Callable[[dict[str, list[str]]], object]] = {
            "/rest/2.0/assetTypes": self._asset_types,
            "/rest/2.0/relationTypes": self._relation_types,
            "/rest/2.0/attributeTypes": self._attribute_types,
            "/rest/2.0/assets": self._assets,
            "/rest/2.0/attributes": self._attributes,
            "/rest/2.0/relations": self._relations,
        }
        if path == GRAPH and not self.faults.no_graph:
            return self._graph(json.loads(body))
        if path.startswith(LINEAGE):
            return self._lineage(path.removeprefix(LINEAGE), query)
        if path in routes:
            return routes[path](query)
        raise complaint(404, "notFound", "There is no such resource.")

    # --- who asks

    def _token(self, form: dict[str, list[str]]) -> object:
        if "scope" in form:
            raise Answer(400, {"error": "invalid_scope"})
        if form.get("grant_type") != ["client_credentials"]:
            raise Answer(400, {"error": "unsupported_grant_type"})
        if (form.get("client_id"), form.get("client_secret")) != ([CLIENT[0]], [CLIENT[1]]):
            raise Answer(401, {"error": "invalid_client"})
        with self.lock:
            self.granted += 1
            token = f"token-{self.granted}-{uuid.uuid4().hex}"
            self.tokens[token] = time.monotonic() + self.faults.token_life
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.faults.token_life, "scope": "x"}

    def _check_account(self, authorization: str) -> None:
        kind, _, proof = authorization.partition(" ")
        if kind == "Basic" and base64.b64decode(proof).decode() == ":".join(USER):
            return
        if kind == "Bearer":
            with self.lock:
                ends = self.tokens.get(proof, 0.0)
            if time.monotonic() < ends and not self.happens("expired"):
                return
            raise complaint(401, "expiredToken", "The token has expired.")
        raise complaint(401, "unauthorized", "Not signed in.")

    # --- lists

    def _page(self, query: dict[str, list[str]], items: list[dict]) -> object:
        limit = int(query.get("limit", ["1000"])[0]) or 1000
        if limit > 1000:
            raise complaint(400, "badRequest", "The limit is 1000.")
        if "cursor" not in query:
            raise complaint(400, "badRequest", "Only cursors are known here.")
        cursor = query["cursor"][0]
        begin = 0
        if cursor:
            begin = int(base64.urlsafe_b64decode(cursor).decode().split()[0])
        page = {"total": -1, "offset": 0, "limit": limit, "results": items[begin : begin + limit], "somethingNew": {}}
        end = begin + limit
        if self.faults.endless:
            # The same page again, by a cursor that is new each time.
            page["nextCursor"] = base64.urlsafe_b64encode(f"0 {uuid.uuid4()}".encode()).decode()
        elif self.faults.same_cursor:
            page["nextCursor"] = base64.urlsafe_b64encode(f"{limit}".encode()).decode()
        elif end < len(items):
            page["nextCursor"] = base64.urlsafe_b64encode(str(end).encode()).decode()
        return page

    def _offset_page(self, query: dict[str, list[str]], items: list[dict]) -> object:
        """Lists of types know no cursor."""
        limit = int(query.get("limit", ["1000"])[0]) or 1000
        begin = int(query.get("offset", ["0"])[0])
        return {"total": len(items), "offset": begin, "limit": limit, "results": items[begin : begin + limit]}

    def _asset_types(self, query: dict[str, list[str]]) -> object:
        items = [
            {"id": key, "publicId": name, "name": name, "resourceType": "AssetType", "system": True}
            for key, name in ASSET_TYPES.items()
        ]
        return self._offset_page(query, items)

    def _relation_types(self, query: dict[str, list[str]]) -> object:
        items = [
            {"id": key, "role": role, "coRole": co_role, "publicId": public, "resourceType": "RelationType"}
            for key, (role, co_role, public) in RELATION_TYPES.items()
        ]
        return self._offset_page(query, items)

    def _attribute_types(self, query: dict[str, list[str]]) -> object:
        items = [{"id": id_of(name), "name": name, "resourceType": "StringAttributeType"} for name in ATTRIBUTE_TYPES]
        return self._offset_page(query, items)

    def _visible(self, where: Callable[[Asset], bool]) -> list[Asset]:
        return [] if self.faults.no_assets else [asset for asset in self.mart.assets.values() if where(asset)]

    def _assets(self, query: dict[str, list[str]]) -> object:
        if query.get("sortField", ["NAME"]) != ["NAME"]:
            raise complaint(400, "badRequest", "Unknown field to sort by.")
        types = set(query.get("typeIds", []))
        if TABLE in types:
            types.add(VIEW)  # inherits from it

        def is_wanted(asset: Asset) -> bool:
            domain, community = query.get("domainId"), query.get("communityId")
            in_domain = not domain or [asset.domain] == domain
            in_community = not community or (community == [COMMUNITY] and asset.domain == DOMAIN)
            return asset.type in types and in_domain and in_community

        assets = sorted(self._visible(is_wanted), key=lambda asset: asset.full_name)
        items = [
            {
                "id": asset.id,
                "name": asset.full_name,
                "displayName": asset.display_name,
                "type": {"id": asset.type, "name": ASSET_TYPES[asset.type], "resourceType": "AssetType"},
                "domain": {"id": asset.domain, "name": "Catalog", "resourceType": "Domain"},
                "resourceType": "Asset",
            }
            for asset in assets
        ]
        return self._page(query, items)

    def _value(self, value: object) -> object:
        if self.faults.words and not isinstance(value, str):
            return str(value).lower()
        return value

    def _attributes(self, query: dict[str, list[str]]) -> object:
        wanted = {name for name in ATTRIBUTE_TYPES if id_of(name) in query.get("typeIds", [])}
        items = [
            {
                "id": id_of(f"{asset.id} {name}"),
                "type": {"id": id_of(name), "name": name, "resourceType": "AttributeType"},
                "asset": {"id": asset.id, "name": asset.full_name, "resourceType": "Asset"},
                "value": self._value(value),
                "resourceType": "Attribute",
            }
            for asset in self.mart.assets.values()
            for name, value in asset.attributes.items()
            if name in wanted
        ]
        return self._page(query, items)

    def _known(self) -> Iterator[tuple[str, str, str, str]]:
        for key, (kind, source, target) in self.mart.relations.items():
            if kind != TARGETS or self.faults.relations:
                yield key, kind, source, target

    def _relations(self, query: dict[str, list[str]]) -> object:
        def end(key: str) -> dict:
            asset = self.mart.assets[key]
            return {"id": key, "name": asset.full_name, "resourceType": "Asset"}

        items = [
            {"id": key, "source": end(source), "target": end(target), "type": {"id": kind}, "resourceType": "Relation"}
            for key, kind, source, target in self._known()
            if [kind] == query.get("relationTypeId")
        ]
        return self._page(query, items)

    # --- GraphQL

    def _graph(self, request: dict) -> object:
        """The queries that dragoman sends, by their variables; the fields are those that the query names."""
        text, variables = request["query"], request.get("variables", {})
        if text.count("{") != text.count("}") or text.count("(") != text.count(")"):
            return {"errors": [{"message": "Invalid Syntax"}]}
        if self.faults.graph_errors:
            return {"data": None, "errors": [{"message": self.faults.graph_errors, "path": ["assets"]}]}
        fields = set(re.findall(r"\w+", text))
        if "after" in variables:
            return {"data": {"assets": [self._node(self.mart.assets[variables["id"]], fields, variables)]}}
        where = variables["where"]
        types = where["type"]["id"]["in"]
        domain = where.get("domain", {})
        after = "" if self.faults.endless else where.get("id", {}).get("gt", "")

        def is_wanted(asset: Asset) -> bool:
            in_domain = asset.domain in domain["id"]["in"] if "id" in domain else True
            in_community = (
                COMMUNITY in domain["parent"]["id"]["in"] and asset.domain == DOMAIN if "parent" in domain else True
            )
            return asset.type in types and asset.id > after and in_domain and in_community

        assets = self._visible(is_wanted)[: variables["limit"]]
        return {"data": {"assets": [self._node(asset, fields, variables) for asset in assets]}}

    def _node(self, asset: Asset, fields: set[str], variables: dict) -> dict:
        def attributes(key: str, kinds: type | tuple[type, ...]) -> list[dict]:
            return [
                {key: value, "type": {"name": name}}
                for name, value in asset.attributes.items()
                if type(value) in (kinds if isinstance(kinds, tuple) else (kinds,))
            ]

        after = variables.get("after", "")

        def edges(own: int, other: str, types: list[str] | None) -> list[dict]:
            found = []
            for key, kind, *ends in self._known():
                if ends[own] == asset.id and key > after and (types is None or kind in types):
                    end = self.mart.assets[ends[1 - own]]
                    node = {"id": end.id, "fullName": end.full_name, "displayName": end.display_name}
                    found.append({"id": key, "type": {"id": kind, "role": RELATION_TYPES[kind][0]}, other: node})
            return found[:50]

        node = {"id": asset.id, "fullName": asset.full_name, "displayName": asset.display_name}
        if "stringAttributes" in fields:
            node["stringAttributes"] = attributes("stringValue", str)
            node["numericAttributes"] = attributes("numericValue", (int, float))
            node["booleanAttributes"] = attributes("booleanValue", bool)
        if "outgoingRelations" in fields:
            node["outgoingRelations"] = edges(0, "target", None)
        if "incomingRelations" in fields:
            node["incomingRelations"] = edges(1, "source", variables["lineage"])
        return node

    # --- technical lineage: ids of its own, and those of assets only where they are known

    def _lineage(self, path: str, query: dict[str, list[str]]) -> object:
        if self.faults.no_lineage != 200:
            raise complaint(self.faults.no_lineage, "lineage", "Technical lineage is not available.")
        entities = {id_of(f"entity {key}"): asset for key, asset in self.mart.assets.items()}
        parts = path.strip("/").split("/")
        if len(parts) == 1:
            wanted = query.get("dgcId", [""])[0]
            found = [self._entity(key, asset) for key, asset in entities.items() if asset.id == wanted]
            return {"results": found, "pagination": {}}
        if parts[1].startswith("parent-"):
            return {"id": parts[1], "name": parts[1].removeprefix("parent-"), "type": "schema"}
        if parts[1] not in entities:
            raise complaint(404, "notFound", "There is no such entity.")
        if len(parts) == 2:
            return self._entity(parts[1], entities[parts[1]])
        relations = [
            {
                "sourceEntityId": id_of(f"entity {source}"),
                "targetEntityId": id_of(f"entity {target}"),
                "transformationIds": [id_of("x")],
            }
            for kind, source, target in self.mart.relations.values()
            if kind == TARGETS and target == entities[parts[1]].id
        ]
        begin = int(query.get("cursor", ["0"])[0])
        pagination = {"nextCursor": str(begin + 1)} if begin + 1 < len(relations) else {}
        return {"relations": relations[begin : begin + 1], "pagination": pagination}

    def _entity(self, key: str, asset: Asset) -> dict:
        parts = asset.full_name.split(">")
        known = asset.id if asset.type != FILE else {"present": False, "undefined": True}
        return {
            "id": key,
            "name": asset.display_name,
            "type": "table",
            "dgcId": known,
            "parentId": f"parent-{parts[-2]}",
            "sourceIds": [],
        }


def main() -> None:
    """Serves until it is stopped."""
    with Collibra() as collibra:
        print(collibra.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
