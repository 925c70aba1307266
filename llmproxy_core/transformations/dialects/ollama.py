"""`ollama.chat` and `ollama.generate`.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from collections.abc import Iterator

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import ResponseFormat
from llmproxy_core.transformations.dialects import blocks, openai_chat
from llmproxy_core.transformations.dialects.dialect import Dialect, System
from llmproxy_core.transformations.document import dumped
from llmproxy_core.transformations.nodes import Node, Path

PARAMETERS: dict[str, tuple[Path, ...]] = {
    "max_tokens": (("options", "num_predict"),),
    "stop_sequences": (("options", "stop"),),
    **{
        name: (("options", name),)
        for name in (
            *("temperature", "top_p", "top_k", "seed"),
            *("frequency_penalty", "presence_penalty"),
        )
    },
}


def respond(holder: Node, wanted: ResponseFormat) -> None:
    holder.put("format", b'"json"' if wanted.shape is None else dumped(wanted.shape))


def system_contents(holder: Node) -> list[Node]:
    told = holder.get("system")
    return [told] if told is not None and told.kind == "string" else []


def create_system(holder: Node, text: str) -> None:
    holder.put("system", dumped(text))


def passages(holder: Node, role: Role) -> Iterator[Node]:
    keys: dict[Role, str] = {"system": "system", "user": "prompt"}
    if role in keys and (found := holder.get(keys[role])) is not None and found.kind == "string":
        yield found


CHAT = Dialect(
    "ollama.chat",
    parameters=PARAMETERS,
    system=openai_chat.SYSTEM,
    passages=openai_chat.passages,
    add_messages=openai_chat.add_messages,
    add_tools=openai_chat.add_tools,
    respond=respond,
)
GENERATE = Dialect(
    "ollama.generate",
    parameters=PARAMETERS,
    system=System(system_contents, create_system, openai_chat.block, blocks.narrow_key),
    passages=passages,
    respond=respond,
)
