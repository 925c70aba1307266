"""Anthropic's message batches, done as soon as they are made.

Source: docs.anthropic.com/en/api/creating-message-batches.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import mapping
from llmproxy_core.simulator.answering import answer
from llmproxy_core.simulator.anthropic_messages import AnthropicMessages
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.exchange import Named

PATH = "/v1/messages/batches"
AT = "2026-01-01T00:00:00Z"


class AnthropicBatches(AnthropicMessages):
    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        for index, asked in enumerate(body.get("requests") or []):
            for place, name in super().names(mapping(mapping(asked).get("params"))):
                yield Named(f"requests[{index}].params.{place}", name)


FORMAT = AnthropicMessages()


def made(body: Mapping[str, Any], wanted: Controls, host: str) -> tuple[dict[str, Any], str]:
    """A batch, and its results: a line of JSON each."""
    lines = []
    for asked in map(mapping, body.get("requests") or []):
        params = mapping(asked.get("params"))
        raw = json.dumps(params).encode()
        ask = FORMAT.read(params, PATH)
        result = {"type": "succeeded", "message": FORMAT.whole(ask, answer(ask, raw, wanted))}
        lines.append(compact({"custom_id": asked.get("custom_id"), "result": result}))
    id = f"msgbatch_{content_hash(json.dumps(body).encode()).hex()[:24]}"
    counts = dict.fromkeys(("processing", "errored", "canceled", "expired"), 0)
    batch = {
        "id": id,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": counts | {"succeeded": len(lines)},
        "created_at": AT,
        "ended_at": AT,
        "expires_at": AT,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"https://{host}{PATH}/{id}/results",
    }
    return batch, "".join(f"{line}\n" for line in lines)
