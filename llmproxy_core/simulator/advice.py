"""What the simulated advisor says when it is asked, as OpenRouter is, how a pattern may fail less.

It knows the weaknesses of the simulated model (`quality`): it finds one in the question, and wants
its advice added to the system prompt. One of them is bad advice, for experiments to find out.
"""

from collections.abc import Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.quality import WEAKNESSES, Weakness

ABOUT = "enhancement"
"""The name of the schema of such a question."""
CONFIDENCE = 0.86


def is_asked(body: Mapping[str, Any]) -> bool:
    wanted = mapping(mapping(body.get("response_format")).get("json_schema"))
    return wanted.get("name") == ABOUT


def advice(question: str) -> str:
    """The JSON of an answer: one change, or none."""
    asked = " ".join(question.lower().split())
    found = next((one for one in WEAKNESSES if one.words in asked), None)
    return compact({"changes": [_change(found)] if found else []})


def _change(weakness: Weakness) -> dict[str, Any]:
    names = ("role", "find", "messages", "parameter", "value", "min", "max", "format", "names")
    operation = {"op": "append_system", "text": weakness.advice} | dict.fromkeys(names)
    return {
        "type": "clarification",
        "operations": [operation],
        "confidence": CONFIDENCE,
        "reasoning": "The prompt does not say what a good answer is; this sentence does.",
    }
