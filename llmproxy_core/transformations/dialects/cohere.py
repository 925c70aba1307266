"""`cohere.chat`: version 2 with messages, version 1 with a preamble, a history and a message.

Sources: https://docs.cohere.com/reference/chat, https://docs.cohere.com/v1/reference/chat
"""

from collections.abc import Iterator, Sequence

from llmproxy_core.sections.operation_values import Role
from llmproxy_core.sections.operations import FewShot, ResponseFormat
from llmproxy_core.transformations.dialects import blocks, openai_chat
from llmproxy_core.transformations.dialects.dialect import Dialect, System, flat
from llmproxy_core.transformations.document import dumped
from llmproxy_core.transformations.nodes import Node

PARAMETERS = flat(
    *("max_tokens", "temperature", "stop_sequences"),
    *("frequency_penalty", "presence_penalty", "seed"),
    top_p="p",
    top_k="k",
)
SPEAKERS: dict[Role, str] = {"user": "USER", "assistant": "CHATBOT", "system": "SYSTEM"}


def respond(key: str, holder: Node, wanted: ResponseFormat) -> None:
    said: dict[str, object] = {"type": "json_object"}
    if wanted.shape is not None:
        said[key] = wanted.shape
    holder.put("response_format", dumped(said))


def system_contents(holder: Node) -> list[Node]:
    told = holder.get("preamble")
    return [told] if told is not None and told.kind == "string" else []


def create_system(holder: Node, text: str) -> None:
    holder.put("preamble", dumped(text))


def passages(holder: Node, role: Role) -> Iterator[Node]:
    found = system_contents(holder) if role == "system" else []
    history = holder.get("chat_history")
    for turn in history.elements() if history is not None else ():
        text = turn.get("message")
        if text is not None and blocks.role(turn).upper() == SPEAKERS.get(role, "-"):
            found.append(text)
    if role == "user" and (message := holder.get("message")) is not None:
        found.append(message)
    yield from (one for one in found if one.kind == "string")


def add_messages(holder: Node, messages: Sequence[FewShot]) -> None:
    history = holder.get("chat_history")
    if history is None or history.kind != "array":
        history = holder.put("chat_history", b"[]")
    entries = [dumped({"role": SPEAKERS[one.role], "message": one.text}) for one in messages]
    blocks.insert_new(history, 0, entries)


SECOND = Dialect(
    "cohere.chat",
    parameters=PARAMETERS,
    system=openai_chat.SYSTEM,
    passages=openai_chat.passages,
    add_messages=openai_chat.add_messages,
    add_tools=openai_chat.add_tools,
    respond=lambda holder, wanted: respond("json_schema", holder, wanted),
)
FIRST = Dialect(
    "cohere.chat",
    parameters=PARAMETERS,
    system=System(system_contents, create_system, openai_chat.block, blocks.narrow_key),
    passages=passages,
    add_messages=add_messages,
    respond=lambda holder, wanted: respond("schema", holder, wanted),
)
