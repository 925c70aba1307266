"""`add_header`: sets one, or adds to it."""

from llmproxy_core.model import Headers, header
from llmproxy_core.sections.operations import AddHeader
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.draft import Draft


def hindrance(operation: AddHeader, dialect: Dialect) -> str:
    return ""


def adding(operation: AddHeader) -> Action:
    name, value = operation.name.lower(), operation.value

    def do(draft: Draft) -> None:
        there = [number for number, (key, _) in enumerate(draft.headers) if key.lower() == name]
        said = ", ".join(draft.headers[number][1] for number in there)
        if operation.append and there:
            if value in (part.strip() for part in said.split(",")):
                return
            new = f"{said}, {value}"
        else:
            new = value
        if there and said == new:
            return
        if there and _covered(draft.headers, name):
            raise Cannot("signed", f"the client has signed the header {operation.name}")
        kept = [pair for number, pair in enumerate(draft.headers) if number not in there]
        first = there[0] if there else len(kept)
        key = draft.headers[first][0] if there else operation.name
        draft.headers = [*kept[:first], (key, new), *kept[first:]]

    return do


def _covered(headers: Headers, name: str) -> bool:
    """By AWS's `SignedHeaders=a;b`, or by `Signature-Input: ...("a" "b")` (RFC 9421)."""
    listed = (header(headers, "authorization") or "").lower().partition("signedheaders=")[2]
    told = listed.partition(",")[0].strip().split(";")
    return name in told or f'"{name}"' in (header(headers, "signature-input") or "").lower()
