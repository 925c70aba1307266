"""What a request asks of the form of its answer: JSON, a schema, the arguments of tools.

Sources: https://platform.openai.com/docs/guides/structured-outputs (`response_format`,
`text.format`), https://ai.google.dev/api/generate-content (`GenerationConfig`),
https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs (`output_config.format`),
https://docs.ollama.com/api (`format`), https://docs.cohere.com/reference/chat (`response_format`),
https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html (`outputConfig`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmproxy_core.model import mapping, text_of
from llmproxy_core.providers.format import items
from llmproxy_core.providers.frames import FRAMED, said
from llmproxy_core.providers.parsing import parse

WRAPPERS = ("request", "response", "session", "setup")
"""Objects that hold the whole request, with Google's Code Assist and in frames."""
CONFIGS = ("generationConfig", "generation_config")
SCHEMAS = ("parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema")
DEEPEST = 4

type Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """`kind`: "" if nothing was asked. `schema`: None where there is none, or none can be read."""

    kind: str = ""
    schema: Any = None


def form_of(wire: str, body: Body) -> Form:
    """The form that an answer must have."""
    if not body:
        return Form()
    for fields in bodies(wire, body):
        for form in _forms(wire, fields):
            if form.kind:
                return form
    return Form()


def bodies(wire: str, body: Body) -> Iterator[Body]:
    """The objects that hold what is asked: the request, or what the client's frames say."""
    for fields in said(body, "client") if wire in FRAMED else [body]:
        yield fields
        for key in WRAPPERS:
            if inner := mapping(fields.get(key)):
                yield inner


def _forms(wire: str, fields: Body) -> Iterator[Form]:
    yield _typed(fields.get("response_format"))
    yield _typed(mapping(fields.get("text")).get("format"))
    yield _typed(mapping(fields.get("output_config")).get("format"))
    yield _typed(fields.get("output_format"))
    yield _converse(mapping(mapping(fields.get("outputConfig")).get("textFormat")))
    if wire.startswith("ollama."):
        yield _ollama(fields.get("format"))
    for key in CONFIGS:
        yield _google(mapping(fields.get(key)))


def _typed(told: Any) -> Form:
    fields = mapping(told)
    kind = text_of(fields.get("type"))
    if not kind.startswith("json"):
        return Form()
    inner = fields.get("json_schema")
    schema = fields.get("schema", mapping(inner).get("schema", inner))
    return Form(kind, schema if isinstance(schema, dict) else None)


def _converse(told: Body) -> Form:
    schema = mapping(mapping(told.get("structure")).get("jsonSchema")).get("schema")
    if isinstance(schema, str):
        schema, _ = parse(schema.encode("utf-8", "replace"))
    return Form(text_of(told.get("type")), schema if isinstance(schema, dict) else None)


def _ollama(told: Any) -> Form:
    if isinstance(told, dict):
        return Form("json_schema", told)
    return Form("json_object" if told == "json" else "")


def _google(config: Body) -> Form:
    mime = text_of(config.get("responseMimeType") or config.get("response_mime_type"))
    names = ("responseJsonSchema", "response_json_schema", "_responseJsonSchema")
    told = [config.get(key) for key in (*names, "responseSchema", "response_schema")]
    schema = next((one for one in told if isinstance(one, dict)), None)
    if mime == "text/x.enum":
        return Form("enum", schema)
    return Form("json_schema" if schema else "json_object", schema) if "json" in mime else Form()


def tool_schemas(wire: str, body: Body) -> dict[str, Any]:
    """The schemas of the arguments of the client's tools, by name; None of one that has none."""
    found: dict[str, Any] = {}
    for fields in bodies(wire, body):
        holders = [fields, mapping(fields.get("toolConfig"))]
        holders += items(fields.get("input"))  # Codex offers tools in an item
        for holder in holders:
            for key in ("tools", "functions"):
                for entry in items(holder.get(key)):
                    _tool(entry, found, DEEPEST)
    return found


def _tool(entry: Body, found: dict[str, Any], depth: int) -> None:
    inside = ("tools", "functionDeclarations", "function_declarations") if depth else ()
    for key in inside:
        for one in items(entry.get(key)):
            _tool(one, found, depth - 1)
    wrapped = (entry.get(key) for key in ("function", "custom", "toolSpec"))
    inner = next((one for one in wrapped if isinstance(one, dict)), entry)
    if name := text_of(inner.get("name")):
        schema = next((inner[key] for key in SCHEMAS if key in inner), None)
        schema = mapping(inner.get("inputSchema")).get("json", schema)
        found[name] = schema if isinstance(schema, dict) else None
