"""A server of tools over the Model Context Protocol, on stdin and stdout: `mcp_server.py NAME...`.

Each tool says its own name and what it was given.
"""

import json
import sys
from typing import Any


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked:
            answer = {"jsonrpc": "2.0", "id": asked["id"], "result": result(asked)}
            print(json.dumps(answer), flush=True)


def result(asked: dict[str, Any]) -> dict[str, Any]:
    params = asked.get("params") or {}
    match asked["method"]:
        case "initialize":
            version = params.get("protocolVersion", "2025-06-18")
            info = {"name": "shop", "version": "1"}
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            schema = {"type": "object", "properties": {"q": {"type": "string"}}}
            return {
                "tools": [
                    {"name": name, "description": f"Says {name}.", "inputSchema": schema}
                    for name in sys.argv[1:]
                ]
            }
        case "tools/call":
            text = f"{params['name']} was given {json.dumps(params.get('arguments'))}"
            return {"content": [{"type": "text", "text": text}]}
    return {}


if __name__ == "__main__":
    main()
