"""Tool calls whose prompts stand in what sub-agents are asked."""

import json
import time
from uuid import UUID

from llmproxy_core.conversations.calls import EACH, Calls
from llmproxy_core.conversations.node import Caller, Node
from llmproxy_core.model import ToolCall

MACHINE = ("1", "127.0.0.1", "")
PROMPT = "Look for all the places in which the word llama is written with two letters too many."


def offered(*prompts: str) -> Calls:
    calls = Calls()
    node = Node(UUID(int=1), UUID(int=1), 0, Caller(1, "", MACHINE, MACHINE), b"head", 1, True)
    for number, prompt in enumerate(prompts):
        arguments = json.dumps({"prompt": prompt})
        calls.add(node, MACHINE, [ToolCall(f"call_{number}", "task", arguments)])
    return calls


def test_a_prompt_is_found_among_other_words() -> None:
    found = offered(PROMPT).within(MACHINE, [f"You are a helper. {PROMPT} Be quick."])

    assert found is not None
    assert found.call_id == "call_0"
    assert offered(PROMPT).within(("2", "127.0.0.1", ""), [f"You are. {PROMPT}"]) is None


def test_a_text_of_many_megabytes_is_not_searched_to_its_end() -> None:
    calls = offered(*(f"{'ab ' * 30}{number} is what has to be found" for number in range(EACH)))
    started = time.process_time()

    assert calls.within(MACHINE, ["q " * 5_000_000]) is None

    assert time.process_time() - started < 3
