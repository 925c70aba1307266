"""Where each wire format offers tools in a request, and how it is asked for without any."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping, text_of
from llmproxy_core.policies.cuts import Path

CONVERSE: tuple[Path, ...] = (("toolConfig",), ("additionalModelRequestFields",))
GEMINI: tuple[Path, ...] = ((), ("request",))
HOLDERS: dict[str, tuple[Path, ...]] = {
    "openai.responses.websocket": ((), ("response",)),
    "openai.realtime": (("session",), ("response",)),
    "anthropic.batches": (("requests", "*", "params"),),
    "gemini": GEMINI,
    "gemini.count_tokens": (
        *GEMINI,
        ("generateContentRequest",),
        ("generate_content_request",),
    ),
    "gemini.live": (("setup",),),
    "bedrock.converse": CONVERSE,
    "bedrock.converse-stream": CONVERSE,
    "bedrock.invoke": ((), *CONVERSE),
    "bedrock.invoke-with-response-stream": ((), *CONVERSE),
    "bedrock.count_tokens": tuple(("input", "converse", *path) for path in CONVERSE),
}
"""The objects that have lists of tools, and choices among them; else the request itself."""
LISTS = ("tools", "functions")
ITEMS = "input"
"""A list whose items may offer tools as well, as Codex does it."""
INNER = ("tools", "functionDeclarations", "function_declarations")
"""Lists within an entry."""
WRAPPERS = ("function", "custom", "toolSpec", "systemTool", "tool")
TYPELESS = frozenset(
    {"", "function", "custom", "namespace", "additional_tools", "tool_search_output"}
)
"""Types that say nothing of what is offered."""
CHOICE_TYPES = frozenset({"tool", "auto", "any", "none", "required", "allowed_tools", "mcp"})
DESCRIBING = frozenset({"type", "name", "description", "role", "id"})
"""Keys of an entry that offer nothing."""
CHOICES = ("tool_choice", "toolChoice", "function_call")
CONFIGS = ("toolConfig", "tool_config")
CALLING = ("functionCallingConfig", "function_calling_config")
ALLOWED = ("allowedFunctionNames", "allowed_function_names")
PARALLEL = "parallel_tool_calls"
"""What OpenAI refuses where no tools are offered."""

NAME, SAID = "no_tool", "There is no tool. Do not call this."
NO_TOOL = {
    "anthropic": b'[{"name":"%b","description":"%b","input_schema":{"type":"object"}}]',
    "bedrock": b'{"tools":[{"toolSpec":{"name":"%b","description":"%b",'
    b'"inputSchema":{"json":{"type":"object"}}}}]}',
}
"""Where tools were called before, some have to be offered.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html"""


def holders(wire: str, request: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for path in HOLDERS.get(wire, ((),)):
        yield from _at(request, path, ())


def _at(value: Any, path: Path, done: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if not path:
        if isinstance(value, dict):
            yield done, value
    elif path[0] == "*":
        for number, one in enumerate(value if isinstance(value, list) else ()):
            yield from _at(one, path[1:], (*done, number))
    else:
        yield from _at(mapping(value).get(str(path[0])), path[1:], (*done, path[0]))


def names(wire: str, entry: Any) -> list[str]:
    """What an entry, or a choice, may be called: the first is what it is told by."""
    if isinstance(entry, str):
        return [entry]
    fields = mapping(entry)
    found = [text_of(mapping(fields.get(key)).get("name")) for key in WRAPPERS]
    found += [text_of(fields.get(key)) for key in ("name", "mcp_server_name", "server_label")]
    if (kind := text_of(fields.get("type"))) not in TYPELESS | CHOICE_TYPES:
        found.append(kind)
    if wire.startswith("gemini") and "name" not in fields:
        found += [
            key for key, value in fields.items() if isinstance(value, dict) and key not in INNER
        ]
    return [name for name in found if name]


def no_tool(wire: str, body: bytes) -> bytes | None:
    """What is offered in place of all tools; None: nothing."""
    family = "bedrock" if b'"toolUse"' in body else "anthropic"
    if b'"toolUse"' not in body and b'"tool_use"' not in body:
        return None
    if not wire.startswith(("anthropic.", "bedrock.")):
        return None
    return NO_TOOL[family] % (NAME.encode(), SAID.encode())
