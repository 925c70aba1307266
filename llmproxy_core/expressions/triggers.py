"""What the `when` of a transformation or an experiment may ask about: what is known of a request
before it is sent. Facts are told as for policies (`policies.facts`), with these beside them."""

from collections.abc import Mapping

from llmproxy_core.expressions import variables
from llmproxy_core.expressions.values import Type

DESCRIBED: Mapping[str, tuple[Type, str]] = {
    "pattern.id": ("text", "the pattern of the prompt"),
    "pattern.name": ("text", "the pattern's name"),
    "pattern.type": ("text", "the pattern's type: classification, summarization ..."),
    "pattern.system": ("text", "the pattern of the system prompt"),
    "pattern.tools": ("text", "the pattern of the tools on offer"),
    "wire": ("text", "the wire format: openai.chat, anthropic.messages ..."),
}
LATER = ("finding", "response.")
"""How those begin that are not known yet."""
VARIABLES: Mapping[str, Type] = {
    **{
        name: type_
        for name, type_ in variables.VARIABLES.items()
        if not variables.SAME.get(name, name).startswith(LATER)
        and variables.SAME.get(name, name) not in ("tool", "cost.usd", "request.input_tokens")
    },
    **{name: type_ for name, (type_, _) in DESCRIBED.items()},
}
SAME: Mapping[str, str] = {name: ours for name, ours in variables.SAME.items() if name in VARIABLES}
