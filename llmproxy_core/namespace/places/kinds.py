"""What objects say by their `type` or `role`, as far as several formats agree on it."""

from llmproxy_core.namespace.grammar import Name, Node, Text

UNTOLD: frozenset[str | None] = frozenset({None, ""})
FUNCTION = UNTOLD | {"function"}
CUSTOM = UNTOLD | {"custom"}
EITHER = FUNCTION | CUSTOM
RESULT: frozenset[str | None] = frozenset({"tool", "function"})
"""Roles of messages that bring what a tool gave back: their `name` is the tool's, all others' is
that of somebody who takes part."""
NOBODY: frozenset[str | None] = frozenset()

NAMED: dict[str, Node] = {"name": Name()}
"""An object that names a tool and nothing else."""
CHOICE = Name(known=True)
"""A choice in one word (Hugging Face's servers take a name there)."""

DESCRIBED: dict[str, Node] = {"description": Text()}
"""A tool in words."""
FAILED: dict[str, Node] = {"error": (Text(), {"message": Text()}), "message": Text()}
"""An error in an answer's place; `message` only where no format has an object of this name."""
