"""Tables of `mitm.toml` that are told apart by their names."""

from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


class Named(Protocol):
    @property
    def name(self) -> str: ...


def distinct[Table: Named](key: str) -> Callable[[list[Table]], list[Table]]:
    """Gives the tables `[[key]]` back if each has a name of its own, else raises ValidationError."""

    def checked(tables: list[Table]) -> list[Table]:
        first: dict[str, int] = {}
        problems = []
        for number, one in enumerate(tables):
            if (taken := first.setdefault(one.name, number)) != number:
                said = f"a name of its own; `{key}[{taken}]` has this one"
                kind = PydanticCustomError("distinct", "{said}", {"said": said})
                problems.append(InitErrorDetails(type=kind, loc=(number, "name"), input=one.name))
        if problems:
            raise ValidationError.from_exception_data(key, problems)
        return tables

    return checked
