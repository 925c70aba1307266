"""The tools that a request offers, as OpenAI's chat format writes them, from any wire format."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping, text_of
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.format import items
from llmproxy_core.providers.parsing import parse
from llmproxy_core.store.call_rows import RequestRow

SCHEMAS = ("parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema")
NESTED = ("function", "toolSpec")
LISTS = ("functionDeclarations", "function_declarations", "tools")
"""Google declares several functions in one tool, OpenAI's namespaces several tools."""


def functions(row: RequestRow) -> list[dict[str, Any]]:
    """[{"type": "function", "function": {name, description, parameters}}]; hosted tools have no
    schema and are left out."""
    body = mapping(parse(decode_body(row.headers, row.body)[0])[0])
    offered = body.get("tools") or mapping(body.get("toolConfig")).get("tools")
    return [{"type": "function", "function": one} for one in _functions(offered, 4)]


def _functions(offered: Any, depth: int) -> Iterator[dict[str, Any]]:
    for tool in items(offered):
        for name in NESTED:
            tool = tool[name] if isinstance(tool.get(name), dict) else tool
        inner = [tool[name] for name in LISTS if isinstance(tool.get(name), list)]
        if inner and depth:
            yield from (one for found in inner for one in _functions(found, depth - 1))
        elif (name := text_of(tool.get("name"))) and (schema := _schema(tool)) is not None:
            described = text_of(tool.get("description"))
            yield (
                {"name": name}
                | ({"description": described} if described else {})
                | {"parameters": schema}
            )


def _schema(tool: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for name in SCHEMAS:
        if isinstance(tool.get(name), dict):
            return mapping(tool[name])
    if "inputSchema" in tool:
        return mapping(mapping(tool["inputSchema"]).get("json"))
    hosted = text_of(tool.get("type")) not in ("", "function", "custom")
    return None if hosted else {"type": "object", "properties": {}}
