"""An enhancement as plain JSON, for the store and files, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmproxy_core.enhancements.edit import size_fault
from llmproxy_core.enhancements.enhancement import (
    Aim,
    Change,
    Enhancement,
    EnhancementType,
    Status,
)
from llmproxy_core.errors import EnhancementError
from llmproxy_core.model import Json


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")

    at: datetime
    who: str
    before: Status | None
    after: Status
    why: str


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=100)]
    pattern_id: Annotated[str, Field(min_length=1, max_length=100)]
    type: EnhancementType
    edit: list[dict[str, Any]]
    confidence: Annotated[float, Field(ge=0, le=1)]
    reasoning: str
    source_engine: str
    aim: Aim = "success"
    status: Status = "candidate"
    was_applied: bool = False
    effectiveness_score: Annotated[float, Field(ge=-1, le=1)] | None = None
    experiment_id: str | None = None
    saving_usd_per_day: float | None = None
    wires: list[str] = []
    history: list[_Change] = []


def to_json(one: Enhancement) -> dict[str, Json]:
    """What `read` takes."""
    told: dict[str, Json] = asdict(one)
    return told | {
        "edit": [dict(operation) for operation in one.edit],
        "wires": list(one.wires),
        "history": [asdict(change) | {"at": change.at.isoformat()} for change in one.history],
    }


def read(value: Mapping[str, Any]) -> Enhancement:
    """Raises EnhancementError: what is wrong, and where."""
    try:
        told = _Record.model_validate(value)
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, error["loc"])) or "the whole"
        raise EnhancementError(f"an enhancement cannot be read: {where}: {error['msg']}") from None
    if wrong := size_fault(told.edit):
        raise EnhancementError(f"enhancement {told.id} cannot be read: {wrong}")
    fields = {name: getattr(told, name) for name in _Record.model_fields}
    history = tuple(Change(**change.model_dump()) for change in told.history)
    return Enhancement(
        **{**fields, "edit": tuple(told.edit), "wires": tuple(told.wires), "history": history}
    )
