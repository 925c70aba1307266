"""`model`: another one of the same provider, in the body or in the path."""

import re
from urllib.parse import quote, unquote

from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.sections.operations import Model
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.document import dumped
from llmproxy_core.transformations.draft import Draft

SEGMENT = re.compile(r"(?<=/model/)[^/?]+|(?<=/deployments/)[^/?]+|(?<=/models/)[^/:?]+(?=:)")
"""As `providers.model_path` reads it."""
REGIONS = re.compile(r"(?:us|us-gov|eu|apac|jp|au|ca|sa|global)\.")
SIGNED = ("aws4-", "signature")


def hindrance(operation: Model, dialect: Dialect) -> str:
    return ""


def changing(operation: Model) -> Action:
    def do(draft: Draft) -> None:
        done = _path(draft, operation.to)
        for holder in (draft.root, *draft.holders()):
            told = holder.get("model")
            if told is not None and (was := told.said()) is not None:
                done = True
                new = _spelled(operation.to, was)
                if was != new:
                    told.replace(dumped(new))
                    draft.notes.append(f"model {was} -> {new}")
        if not done and draft.wire not in FRAMED:
            raise Cannot("elsewhere", "neither the body nor the path names a model")

    return do


def _spelled(to: str, was: str) -> str:
    """Google's bodies put `models/` before a name."""
    before, _, _ = was.rpartition("/")
    return f"{before}/{to}" if before.endswith("models") and "/" not in to else to


def _path(draft: Draft, to: str) -> bool:
    """Does the path name one? Raises Cannot: it is signed, or another maker's words are needed."""
    found = SEGMENT.search(draft.path)
    if draft.wire in FRAMED or found is None:
        return False
    was = unquote(found[0])
    if was == to:
        return True
    told = {name.lower(): value.lower() for name, value in draft.headers}
    if told.get("authorization", "").startswith(SIGNED) or "x-amz-signature" in draft.path.lower():
        raise Cannot("signed", "the client has signed the path")
    if draft.wire.startswith("bedrock.invoke") and _maker(was) != _maker(to):
        raise Cannot("refused", f"{to} does not understand a request for {was}")
    draft.path = draft.path[: found.start()] + quote(to, safe=":@") + draft.path[found.end() :]
    draft.notes.append(f"model {was} -> {to}")
    return True


def _maker(model: str) -> str:
    name = model.rpartition("/")[2]
    return REGIONS.sub("", name, count=1).partition(".")[0]
