"""Amazon Bedrock's Converse, whole and as an eventstream.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote
from zlib import crc32

from llmproxy_core.model import mapping
from llmproxy_core.providers.refusal import error_body
from llmproxy_core.simulator import prompts
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.exchange import Answer, Ask, Named, content_text, size
from llmproxy_core.simulator.prompts import Prompt

CALL = "toolUse"


class BedrockConverse:
    content_type = "application/vnd.amazon.eventstream"
    longest_name = 64

    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        config = mapping(body.get("toolConfig"))
        for index, tool in enumerate(config.get("tools") or []):
            if spec := mapping(mapping(tool).get("toolSpec")):
                yield Named(f"toolConfig.tools[{index}].toolSpec.name", str(spec.get("name")))
        if chosen := mapping(mapping(config.get("toolChoice")).get("tool")):
            yield Named("toolConfig.toolChoice.tool.name", str(chosen.get("name")))
        for index, said in enumerate(body.get("messages") or []):
            for number, block in enumerate(mapping(said).get("content") or []):
                call = mapping(mapping(block).get(CALL))
                if call and call.get("type") != "server_tool_use":
                    at = f"messages[{index}].content[{number}].{CALL}.name"
                    yield Named(at, str(call.get("name")))

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        messages = [mapping(said) for said in body.get("messages") or []]
        content = messages[-1].get("content") if messages else None
        config = mapping(body.get("toolConfig"))
        specs = [mapping(mapping(tool).get("toolSpec")) for tool in config.get("tools") or []]
        choice = mapping(config.get("toolChoice"))
        prefix = size(body.get("system") or "") + size(specs)
        return Ask(
            model=model_in(path),
            text=content_text(content),
            stream=path.endswith("-stream"),
            tools={
                str(spec["name"]): mapping(spec.get("inputSchema")).get("json")
                for spec in specs
                if "name" in spec
            },
            forced_tool="" if "any" in choice else mapping(choice.get("tool")).get("name"),
            answers_tool=any("toolResult" in mapping(block) for block in content or []),
            earlier=prefix + size(messages[:-1]) if messages[1:] else 0,
            total=prefix + size(messages),
            most=mapping(body.get("inferenceConfig")).get("maxTokens"),
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        return prompts.converse(body)

    def whole(self, ask: Ask, answer: Answer) -> Any:
        content: list[dict[str, Any]] = [{"text": "".join(answer.text)}] if answer.text else []
        for tool in answer.tools:
            call = {"toolUseId": f"tooluse_{tool.id}", "name": tool.name}
            content.append({CALL: call | {"input": json.loads(tool.arguments)}})
        said = {"role": "assistant", "content": content}
        return {"output": {"message": said}, "stopReason": _reason(answer)} | _end(answer)

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        yield message("messageStart", {"role": "assistant"})
        for index, (start, deltas) in enumerate(_blocks(answer)):
            at = {"contentBlockIndex": index}
            if start:
                yield message("contentBlockStart", {"start": start} | at)
            for delta in deltas:
                yield message("contentBlockDelta", {"delta": delta} | at)
            yield message("contentBlockStop", at)
        yield message("messageStop", {"stopReason": _reason(answer)})
        yield message("metadata", _end(answer))

    def error(self, status: int, text: str) -> Any:
        return error_body("bedrock.converse", status, text)

    def error_event(self, text: str) -> bytes:
        return message("modelStreamErrorException", {"message": text}, "exception")


def model_in(path: str) -> str:
    return unquote(path.split("/model/")[-1].rpartition("/")[0])


def _blocks(answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each content block: its start, if it has one, and its deltas."""
    if answer.text:
        yield {}, [{"text": piece} for piece in answer.text]
    for tool in answer.tools:
        text = tool.arguments
        pieces = [text[i : i + 8] for i in range(0, len(text), 8)]
        start = {CALL: {"toolUseId": f"tooluse_{tool.id}", "name": tool.name}}
        yield start, [{CALL: {"input": piece}} for piece in pieces]


def _reason(answer: Answer) -> str:
    if answer.ending == "length":
        return "max_tokens"
    return "tool_use" if answer.tools else "end_turn"


def _end(answer: Answer) -> dict[str, Any]:
    """Here inputTokens does not include what was read from the cache or written to it."""
    usage = {
        "inputTokens": answer.input_tokens - answer.cached_tokens - answer.written_tokens,
        "outputTokens": answer.output_tokens,
        "totalTokens": answer.input_tokens + answer.output_tokens,
        "cacheReadInputTokens": answer.cached_tokens,
        "cacheWriteInputTokens": answer.written_tokens,
    }
    return {"usage": usage, "metrics": {"latencyMs": 1108}}


def message(name: str, payload: dict[str, Any], kind: str = "event") -> bytes:
    """`vnd.amazon.eventstream`: lengths and headers, each with its checksum, then the payload."""
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + len(value).to_bytes(2) + value.encode()
        for key, value in (
            (f":{kind}-type", name),
            (":content-type", "application/json"),
            (":message-type", kind),
        )
    )
    body = compact(payload).encode()
    start = (16 + len(headers) + len(body)).to_bytes(4) + len(headers).to_bytes(4)
    message = start + crc32(start).to_bytes(4) + headers + body
    return message + crc32(message).to_bytes(4)
