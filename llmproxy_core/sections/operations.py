"""What an operation on a request may say: the tables in `logic` of `[[transformations]]`, and the
same as JSON where experiments and enhancements keep them. `transformations/actions` does them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operation_values import (
    LONGEST,
    HeaderName,
    HeaderValue,
    ModelName,
    Names,
    Number,
    Parameter,
    Pattern,
    Role,
    Schema,
    Text,
    ToolName,
    ToolSchema,
    Value,
    bound_fault,
    pattern,
    pieces,
    value_fault,
)
from llmproxy_core.sections.values import Section


class SetParameter(Section):
    """`missing_only`: what the program says itself stays."""

    op: Literal["set"]
    parameter: Parameter
    value: Value
    missing_only: bool = False

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if fault := value_fault(self.parameter, self.value):
            raise ValueError(fault)
        return self


class ClampParameter(Section):
    """Only a number that the program sends; where it sends none, there is nothing to clamp."""

    op: Literal["clamp"]
    parameter: Parameter
    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("`min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("a `min` that is not above `max`")
        bounds = (bound for bound in (self.min, self.max) if bound is not None)
        if fault := next(filter(None, (bound_fault(self.parameter, one) for one in bounds)), None):
            raise ValueError(fault)
        return self


class DropParameter(Section):
    op: Literal["drop"]
    parameter: Parameter


class SystemText(Section):
    op: Literal["prepend_system", "append_system", "replace_system"]
    text: Text


class ReplaceText(Section):
    r"""`find`: as it stands; or `pattern`, of RE2, whose groups `replacement` names as `\1`."""

    op: Literal["replace_text"]
    role: Role
    find: Text | None = None
    pattern: Pattern | None = None
    replacement: Annotated[str, Field(max_length=LONGEST)]

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.find is None) == (self.pattern is None):
            raise ValueError("`find` or `pattern`, one of them")
        if self.pattern is not None:
            pieces(self.replacement, pattern(self.pattern))
        return self


class FewShot(Section):
    role: Literal["user", "assistant"]
    text: Text


class AddMessages(Section):
    """After the system prompt, before the conversation."""

    op: Literal["add_messages"]
    messages: Annotated[list[FewShot], Field(min_length=2, max_length=100)]

    @model_validator(mode="after")
    def _in_turn(self) -> Self:
        roles = [one.role for one in self.messages]
        if roles != ["user", "assistant"] * (len(roles) // 2):
            raise ValueError("messages of user and assistant in turn, the last one the assistant's")
        return self


class CacheBreakpoint(Section):
    """`at`: behind the tools, behind the system prompt, or behind a message: 0 is the first, -1
    the last. `move`: all others go."""

    op: Literal["cache_breakpoint"]
    at: Literal["tools", "system"] | int
    ttl: Literal["5m", "1h"] | None = None
    move: bool = False


class Model(Section):
    op: Literal["model"]
    to: ModelName


class ResponseFormat(Section):
    op: Literal["response_format"]
    type: Literal["json_object", "json_schema"]
    name: ToolName = "answer"
    shape: Schema | None = Field(default=None, alias="schema")
    strict: bool = True

    @model_validator(mode="after")
    def _with_schema(self) -> Self:
        if (self.shape is None) == (self.type == "json_schema"):
            raise ValueError('`schema` beside type = "json_schema", and only there')
        return self


class DropTools(Section):
    op: Literal["drop_tools"]
    names: Names


class NewTool(Section):
    """`parameters`: a JSON schema."""

    name: ToolName
    description: Annotated[str, Field(max_length=LONGEST)] = ""
    parameters: ToolSchema = Field(default={"type": "object", "properties": {}})


class AddTools(Section):
    op: Literal["add_tools"]
    tools: Annotated[list[NewTool], Field(min_length=1, max_length=128)]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len({one.name for one in self.tools}) < len(self.tools):
            raise ValueError("tools that each have a name of their own")
        return self


class AddHeader(Section):
    """`append`: a value is added to those that are there, after a comma; else it replaces them."""

    op: Literal["add_header"]
    name: HeaderName
    value: HeaderValue
    append: bool = False


type Operation = Annotated[
    SetParameter
    | ClampParameter
    | DropParameter
    | SystemText
    | ReplaceText
    | AddMessages
    | CacheBreakpoint
    | Model
    | ResponseFormat
    | DropTools
    | AddTools
    | AddHeader,
    Field(discriminator="op"),
]
type Logic = Annotated[list[Operation], Field(min_length=1, max_length=100)]

OPERATIONS: Mapping[str, type[BaseModel]] = {
    "set": SetParameter,
    "clamp": ClampParameter,
    "drop": DropParameter,
    "prepend_system": SystemText,
    "append_system": SystemText,
    "replace_system": SystemText,
    "replace_text": ReplaceText,
    "add_messages": AddMessages,
    "cache_breakpoint": CacheBreakpoint,
    "model": Model,
    "response_format": ResponseFormat,
    "drop_tools": DropTools,
    "add_tools": AddTools,
    "add_header": AddHeader,
}

INNER: Mapping[str, type[BaseModel]] = {"messages": FewShot, "tools": NewTool}


def operation_keys(path: Sequence[str]) -> list[str]:
    """What is known in the table of an operation, by its name, or in one within it."""
    table = INNER[path[-1]] if path[-1] in INNER else OPERATIONS[path[0]]
    return [field.alias or name for name, field in table.model_fields.items()]


LOGIC: TypeAdapter[list[Operation]] = TypeAdapter(Logic)


def read_operations(logic: Sequence[Mapping[str, Any]]) -> tuple[Operation, ...]:
    """Operations of plain tables: JSON of the store, or of the advisor.

    Raises:
        ConfigError: names the operation, the key, and what is allowed.
    """
    try:
        return tuple(LOGIC.validate_python([dict(one) for one in logic]))
    except (ValidationError, TypeError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise ConfigError("logic: a list of tables, each with an `op`") from None
        raise ConfigError("; ".join(_said(one) for one in error.errors())) from None


def plain(operations: Iterable[Operation]) -> list[dict[str, Any]]:
    """As `read_operations` takes it, without what is left at its default."""
    return [one.model_dump(mode="json", by_alias=True, exclude_defaults=True) for one in operations]


def _said(error: Any) -> str:
    where = "logic"
    for part in error["loc"]:
        where += f"[{part}]" if isinstance(part, int) else f".{part}"
    told = error.get("ctx", {}).get("error")
    return f"`{where}`: allowed is {told}" if told else f"`{where}`: {error['msg']}"
