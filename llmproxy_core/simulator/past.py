"""Answers that clients may ask for again: OpenAI's responses, Anthropic's batches."""

from collections.abc import Mapping
from typing import Any

from llmproxy_core.simulator import anthropic_batches
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.exchange import Answer, Ask, Format
from llmproxy_core.simulator.openai_responses import OpenAIResponses

MOST = 200
RESPONSES = "/v1/responses"


class Past:
    """By their paths, the latest; JSON, or a text of lines."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def answered(self, form: Format, ask: Ask, reply: Answer) -> None:
        if isinstance(form, OpenAIResponses):
            whole = form.whole(ask, reply)
            self._keep(f"{RESPONSES}/{whole['id']}", whole)

    def batch(self, body: Mapping[str, Any], wanted: Controls, host: str) -> Any:
        """One that is made."""
        batch, results = anthropic_batches.made(body, wanted, host)
        path = f"{anthropic_batches.PATH}/{batch['id']}"
        self._keep(path, batch)
        self._keep(f"{path}/results", results)
        return batch

    def find(self, path: str) -> Any:
        return self._kept.get(path)

    def _keep(self, path: str, value: Any) -> None:
        self._kept[path] = value
        if len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
