"""Values that fit a JSON schema."""

from typing import Any

from llmproxy_core.model import mapping


def sample(schema: Any, name: str = "") -> Any:
    """A value that a JSON schema (OpenAPI spelling of types, too) allows, the same each time."""
    schema = mapping(schema)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((k for k in kind if k != "null"), "null") if isinstance(kind, list) else kind
    match str(kind).lower():
        case "object":
            properties = mapping(schema.get("properties"))
            wanted = schema.get("required") or list(properties)
            return {key: sample(properties.get(key), key) for key in wanted}
        case "array":
            return [sample(schema.get("items"), name)]
        case "integer":
            return 3
        case "number":
            return 2.5
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return {"city": "Paris", "location": "Paris", "path": "README.md"}.get(name, "sample")
