"""How clients and providers write down a conversation, one class a wire format.

`said` is what was said: (role, text, calls) where a call is (id, name, arguments); the result of a
tool is ("tool", text, [(id, name, {})]). What a format lets them write differently from turn to
turn, they do.
"""

import json
from random import Random
from typing import Any

type Call = tuple[str, str, dict[str, Any]]
type Said = tuple[str, str, list[Call]]
type Json = dict[str, Any]


class Chat:
    """OpenAI's chat completions."""

    wire, path = "openai.chat", "/v1/chat/completions"

    def __init__(self, dice: Random) -> None:
        self.dice = dice

    def request(self, said: list[Said], tools: list[str], number: int) -> Json:
        functions = [{"type": "function", "function": {"name": name}} for name in tools]
        system = {"role": "system", "content": f"You help. It is {number} o'clock."}
        messages = [system, *map(self.message, said)]
        return {"model": "gpt-4o", "messages": messages, "tools": functions}

    def message(self, said: Said) -> Json:
        role, text, calls = said
        if role == "tool":
            return {"role": "tool", "tool_call_id": calls[0][0], "content": text}
        message: Json = {"role": role, "content": self.content(text)}
        if calls:
            message["tool_calls"] = [self.call(call) for call in calls]
        return dict(self.dice.sample(list(message.items()), len(message)))

    def content(self, text: str) -> Any:
        return text if self.dice.random() < 0.5 else [{"type": "text", "text": text}]

    def call(self, call: Call) -> Json:
        separators = self.dice.choice([(",", ":"), (", ", ": ")])
        arguments = json.dumps(call[2], separators=separators)
        return {
            "id": call[0],
            "type": "function",
            "function": {"name": call[1], "arguments": arguments},
        }

    def answer(self, said: Said, number: int) -> Json:
        message: Json = {"role": "assistant", "content": said[1], "refusal": None}
        if said[2]:
            message["tool_calls"] = [self.call(call) for call in said[2]]
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 3}
        return {"id": f"chatcmpl-{number}", "choices": [choice], "usage": usage}


class Messages(Chat):
    """Anthropic's messages: cache marks that move, thinking that is not always sent back."""

    wire, path = "anthropic.messages", "/v1/messages"

    def request(self, said: list[Said], tools: list[str], number: int) -> Json:
        messages = [self.message(one) for one in said]
        last = messages[-1]["content"]
        if isinstance(last, list):
            last[-1]["cache_control"] = {"type": "ephemeral"}
        return {
            "model": "claude-sonnet-4-5",
            "max_tokens": 4096,
            "system": [{"type": "text", "text": f"You help. It is {number} o'clock."}],
            "messages": messages,
            "tools": [{"name": name, "input_schema": {}} for name in tools],
        }

    def message(self, said: Said) -> Json:
        role, text, calls = said
        if role == "tool":
            content = self.content(text)
            result = {"type": "tool_result", "tool_use_id": calls[0][0], "content": content}
            return {"role": "user", "content": [result]}
        if calls or (role == "assistant" and self.dice.random() < 0.3):
            return {"role": role, "content": self.blocks(said)}
        return {"role": role, "content": self.content(text)}

    def blocks(self, said: Said) -> list[Json]:
        thinking: Json = {"type": "thinking", "thinking": "Hm."}
        thinking["signature"] = f"s{self.dice.random()}"
        uses: list[Json] = [
            {"type": "tool_use", "id": id, "name": name, "input": value}
            for id, name, value in said[2]
        ]
        blocks: list[Json] = [{"type": "text", "text": said[1]}, *uses]
        return [thinking, *blocks] if self.dice.random() < 0.5 else blocks

    def answer(self, said: Said, number: int) -> Json:
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "content": self.blocks(said),
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 9, "output_tokens": 3},
        }


class Responses(Chat):
    """OpenAI's responses, with all of the conversation in each request."""

    wire, path = "openai.responses", "/v1/responses"

    def request(self, said: list[Said], tools: list[str], number: int) -> Json:
        entries = [entry for one in said for entry in self.entries(one)]
        hosted = [{"type": "function", "name": name} for name in tools]
        developer = {"role": "developer", "content": f"It is {number} o'clock."}
        return {"model": "gpt-5", "input": [developer, *entries], "tools": hosted, "store": False}

    def entries(self, said: Said) -> list[Json]:
        role, text, calls = said
        if role == "tool":
            id, _, _ = calls[0]
            return [{"type": "function_call_output", "call_id": id, "output": text}]
        if role == "user":
            return [{"role": "user", "content": [{"type": "input_text", "text": text}]}]
        return self.output(said) if self.dice.random() < 0.5 else self.plain(said)

    def output(self, said: Said) -> list[Json]:
        number = self.dice.randrange(10**6)
        content = [{"type": "output_text", "text": said[1], "annotations": []}]
        message: Json = {"type": "message", "id": f"msg_{number}", "role": "assistant"}
        reasoning: Json = {"type": "reasoning", "id": f"rs_{number}", "summary": []}
        calls = [
            self.call(call) | {"id": f"fc_{number}", "status": "completed"} for call in said[2]
        ]
        return [reasoning, message | {"status": "completed", "content": content}, *calls]

    def plain(self, said: Said) -> list[Json]:
        return [{"role": "assistant", "content": said[1]}, *map(self.call, said[2])]

    def call(self, call: Call) -> Json:
        arguments = json.dumps(call[2])
        return {
            "type": "function_call",
            "call_id": call[0],
            "name": call[1],
            "arguments": arguments,
        }

    def answer(self, said: Said, number: int) -> Json:
        usage = {"input_tokens": 9, "output_tokens": 3}
        output = self.output(said)
        return {"id": f"resp_{number}", "status": "completed", "output": output, "usage": usage}


class Gemini(Chat):
    wire, path = "gemini", "/v1beta/models/gemini-3-pro:generateContent"

    def request(self, said: list[Said], tools: list[str], number: int) -> Json:
        return {
            "contents": [self.message(one) for one in said],
            "tools": [{"functionDeclarations": [{"name": name} for name in tools]}],
            "systemInstruction": {"parts": [{"text": f"It is {number} o'clock."}]},
        }

    def message(self, said: Said) -> Json:
        role, text, calls = said
        if role == "tool":
            id, name, _ = calls[0]
            result = {"id": id, "name": name, "response": {"output": text}}
            return {"role": "user", "parts": [{"functionResponse": result}]}
        if role == "user":
            return {"role": "user", "parts": [{"text": text}]}
        called = [{"functionCall": {"id": i, "name": n, "args": a}} for i, n, a in calls]
        return {"role": "model", "parts": [{"text": text}, *called]}

    def answer(self, said: Said, number: int) -> Json:
        content = self.message(said)
        thought = {"text": "Hm.", "thought": True}
        content = content | {"parts": [thought, *content["parts"]]}
        candidate = {"index": 0, "content": content, "finishReason": "STOP"}
        usage = {"promptTokenCount": 9, "candidatesTokenCount": 3}
        return {"responseId": f"g{number}", "candidates": [candidate], "usageMetadata": usage}


class Converse(Chat):
    """Bedrock."""

    wire, path = "bedrock.converse", "/model/anthropic.claude-sonnet-4-5-v1:0/converse"

    def request(self, said: list[Said], tools: list[str], number: int) -> Json:
        specs = [{"toolSpec": {"name": name, "inputSchema": {"json": {}}}} for name in tools]
        messages = [self.message(one) for one in said]
        messages[-1]["content"].append({"cachePoint": {"type": "default"}})
        return {
            "messages": messages,
            "system": [{"text": f"It is {number} o'clock."}],
            "toolConfig": {"tools": specs},
        }

    def message(self, said: Said) -> Json:
        role, text, calls = said
        if role == "tool":
            result = {"toolUseId": calls[0][0], "content": [{"text": text}], "status": "success"}
            return {"role": "user", "content": [{"toolResult": result}]}
        uses = [{"toolUse": {"toolUseId": i, "name": n, "input": a}} for i, n, a in calls]
        return {"role": role, "content": [{"text": text}, *uses]}

    def answer(self, said: Said, number: int) -> Json:
        usage = {"inputTokens": 9, "outputTokens": 3}
        return {"output": {"message": self.message(said)}, "stopReason": "end", "usage": usage}


class Ollama(Chat):
    wire, path = "ollama.chat", "/api/chat"

    def content(self, text: str) -> Any:
        return text

    def message(self, said: Said) -> Json:
        role, text, calls = said
        if role == "tool":
            return {"role": "tool", "tool_name": calls[0][1], "content": text}
        message: Json = {"role": role, "content": text}
        if calls:
            message["tool_calls"] = [self.call(call) for call in calls]
        return message

    def call(self, call: Call) -> Json:
        return {"id": call[0], "function": {"name": call[1], "arguments": call[2]}}

    def answer(self, said: Said, number: int) -> Json:
        return {
            "model": "llama",
            "message": self.message(said),
            "done": True,
            "done_reason": "stop",
        }


class Cohere(Chat):
    wire, path = "cohere.chat", "/v2/chat"

    def answer(self, said: Said, number: int) -> Json:
        message = {"role": "assistant", "content": [{"type": "text", "text": said[1]}]}
        if said[2]:
            message["tool_calls"] = [self.call(call) for call in said[2]]
        usage = {"tokens": {"input_tokens": 9, "output_tokens": 3}}
        return {"id": f"c{number}", "message": message, "finish_reason": "COMPLETE", "usage": usage}


SPEAKERS = (Chat, Messages, Responses, Gemini, Converse, Ollama, Cohere)
