"""An MCP server that does what servers do at their worst: `python mcp_server.py RECORD [--http PORT] [--list MODE]`.

What happens to it is appended to the file RECORD, one JSON object a line. `--list` makes its list of tools a hostile
one: `huge` has 10 MB, `odd` has schemas and names that no provider takes.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

import anyio
import mcp_types
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

MEGABYTE = 1_000_000

arguments = argparse.ArgumentParser()
arguments.add_argument("record", type=Path)
arguments.add_argument("--http", type=int)
arguments.add_argument("--list", choices=["huge", "odd"])
options = arguments.parse_args()


def record(what: str, **facts) -> None:
    with options.record.open("a") as file:
        file.write(json.dumps({"what": what, "pid": os.getpid()} | facts) + "\n")


def record_call(tool: str, context: Context) -> None:
    meta = dict(context.request_context.meta or {})
    headers = dict(context.headers or {})
    record("call", tool=tool, meta={key: meta[key] for key in meta if isinstance(meta[key], str)}, headers=headers)


class Server(MCPServer):
    async def list_tools(self) -> list[mcp_types.Tool]:
        record("list")
        tools = await super().list_tools()
        if options.list == "huge":
            tools[0].description = "x" * (10 * MEGABYTE)
        if options.list == "odd":
            plain = {"type": "object", "properties": {}}
            deep: dict = {"type": "string"}
            for _ in range(40):
                deep = {"type": "object", "properties": {"deeper": deep}}
            many = {f"field_{number}": {"type": "string"} for number in range(2_000)}
            tools += [
                mcp_types.Tool(name="sum/all", input_schema=plain),
                mcp_types.Tool(name="sum all", input_schema=plain),
                mcp_types.Tool(name="n" * 100, input_schema=plain, description="d" * 5_000),
                mcp_types.Tool(name="deep", input_schema=deep),
                mcp_types.Tool(name="many", input_schema={"type": "object", "properties": many}),
            ]
        return tools


server = Server("fixture", log_level="ERROR")


@server.tool()
def echo(text: str, context: Context) -> str:
    """Says the text again."""
    record_call("echo", context)
    return text


@server.tool()
async def slow(seconds: float, context: Context) -> str:
    """Takes its time."""
    record_call("slow", context)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        record("cancelled", tool="slow")
        raise
    except anyio.get_cancelled_exc_class():
        record("cancelled", tool="slow")
        raise
    record("finished", tool="slow")
    return "at last"


@server.tool(structured_output=False)
def huge(megabytes: float) -> str:
    """Says far too much."""
    return "x" * int(megabytes * MEGABYTE)


@server.tool()
def error() -> str:
    """Fails."""
    raise ToolError("the moon is in the wrong house")


@server.tool()
def structured() -> dict[str, int]:
    """Answers with data, and with a text about it."""
    return {"answer": 42}


@server.tool()
def crash() -> str:
    """Ends the process in the middle of a call."""
    os._exit(3)


@server.tool()
async def grow(context: Context) -> str:
    """Gives the server one more tool."""

    def extra() -> str:
        """Was not there before."""
        return "grown"

    server.add_tool(extra)
    await context.session.send_tool_list_changed()
    return "grown"


@server.tool()
def environment() -> dict[str, str]:
    """The variables of this process."""
    return dict(os.environ)


@server.tool()
def forbidden() -> str:
    """Is not in the allow-list of the tests."""
    record("forbidden")
    return "should not have been called"


print("the fixture writes to its standard error\n" * 3, file=sys.stderr, flush=True)
record("start", argv=sys.argv)
if options.http:
    server.run("streamable-http", port=options.http)
else:
    server.run("stdio")
record("end")
