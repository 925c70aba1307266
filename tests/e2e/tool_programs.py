"""Programs with tools, one for each SDK: ten questions, in one conversation.

They know nothing of llmproxy. The model calls tools by name, the program looks the name up in its
table, as programs do, and gives back what the function says.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.genai import types


def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"18 degrees in {city}, says get_weather"


def find_orders(customer: str, limit: int = 3) -> str:
    """Orders of a customer."""
    return json.dumps([{"name": "find_orders", "customer": customer, "order": limit}])


def refund(order: str) -> str:
    """Give the money back."""
    return f"refund of {order}"


TABLE: dict[str, Callable[..., str]] = {
    "get_weather": get_weather,
    "find_orders": find_orders,
    "refund": refund,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "get_weather": {"city": {"type": "string"}},
    "find_orders": {"customer": {"type": "string"}, "limit": {"type": "integer"}},
    "refund": {"order": {"type": "string", "description": 'as "find_orders" gives it'}},
}
QUESTIONS = (
    'call get_weather with {"city": "Paris"}',
    "What have you done so far?",
    'call find_orders with {"customer": "Grüße", "limit": 5}',
    'call get_weather with {"city": "Rome"} and call get_weather with {"city": "Oslo"}',
    'call refund with {"order": "a \\"quoted\\" one"}',
    'call find_orders with {"customer": "refund"} and call refund with {"order": "find_orders"}',
    "Thank you.",
    "Look at the weather again: use get_weather.",
    'call #2 with {"customer": "pays"}',
    'call #3 with {"order": "7"} and call #1 with {"city": "\\u00e9"}',
)


@dataclass(slots=True)
class Turn:
    """A question: the calls it led to, with what came of them, and the last word."""

    calls: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    text: str = ""

    def run(self, name: str, arguments: dict[str, Any]) -> str:
        """As a program does it: a KeyError, if the name is not its own."""
        result = TABLE[name](**arguments)
        self.calls.append((name, arguments, result))
        return result


@dataclass(slots=True)
class Transcript:
    """`returned`: whatever the SDK gave, events of streams too, as JSON."""

    questions: Sequence[str] = QUESTIONS
    turns: list[Turn] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)

    def keep[T](self, value: T) -> T:
        kept: Any = value
        self.returned.append(kept.model_dump_json(warnings=False))
        return value

    def ask(self) -> Iterator[tuple[str, Turn]]:
        for question in self.questions:
            self.turns.append(Turn())
            yield question, self.turns[-1]


def schema(name: str) -> dict[str, Any]:
    properties = SCHEMAS[name]
    return {"type": "object", "properties": properties, "required": list(properties)}


def openai_chat(client: Any, stream: bool, questions: Sequence[str] = QUESTIONS) -> Transcript:
    done = Transcript(questions)
    ask: dict[str, Any] = {"model": "gpt-5", "messages": []}
    ask["tools"] = [
        {"type": "function", "function": {"name": name, "parameters": schema(name)}}
        for name in TABLE
    ]
    messages = ask["messages"]
    for question, turn in done.ask():
        messages.append({"role": "user", "content": question})
        while True:
            if stream:
                with client.chat.completions.stream(**ask) as events:
                    for event in events:
                        done.keep(event)
                    said = done.keep(events.get_final_completion()).choices[0].message
            else:
                said = done.keep(client.chat.completions.create(**ask)).choices[0].message
            messages.append(said.model_dump(exclude_none=True, exclude={"parsed"}))
            if not said.tool_calls:
                break
            for call in messages[-1]["tool_calls"]:
                function = call["function"]
                function.pop("parsed_arguments", None)
                result = turn.run(function["name"], json.loads(function["arguments"]))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        turn.text = said.content
    return done


def openai_responses(client: Any, stream: bool, questions: Sequence[str] = QUESTIONS) -> Transcript:
    done = Transcript(questions)
    ask: dict[str, Any] = {"model": "gpt-5", "input": [], "tool_choice": "auto"}
    ask["tools"] = [
        {"type": "function", "name": name, "parameters": schema(name), "strict": False}
        for name in TABLE
    ]
    for question, turn in done.ask():
        ask["input"].append({"role": "user", "content": question})
        while True:
            if stream:
                with client.responses.stream(**ask) as events:
                    for event in events:
                        done.keep(event)
                    said = events.get_final_response()
            else:
                said = done.keep(client.responses.create(**ask))
            unsent = {"parsed_arguments", "parsed", "status"}
            ask["input"] += [i.model_dump(exclude_none=True, exclude=unsent) for i in said.output]
            calls = [item for item in said.output if item.type == "function_call"]
            for call in calls:
                result = turn.run(call.name, json.loads(call.arguments))
                given = {"type": "function_call_output", "call_id": call.call_id, "output": result}
                ask["input"].append(given)
            if not calls:
                break
        turn.text = said.output_text
    return done


def anthropic_messages(
    client: Any, stream: bool, questions: Sequence[str] = QUESTIONS
) -> Transcript:
    done = Transcript(questions)
    ask: dict[str, Any] = {"model": "claude-sonnet-5-5", "max_tokens": 900, "messages": []}
    ask["tools"] = [{"name": name, "input_schema": schema(name)} for name in TABLE]
    for question, turn in done.ask():
        ask["messages"].append({"role": "user", "content": question})
        while True:
            if stream:
                with client.messages.stream(**ask) as events:
                    for event in events:
                        done.keep(event)
                    said = events.get_final_message()
            else:
                said = done.keep(client.messages.create(**ask))
            content = [block.model_dump(exclude_none=True) for block in said.content]
            ask["messages"].append({"role": "assistant", "content": content})
            if said.stop_reason != "tool_use":
                break
            results = [
                {
                    "type": "tool_result",
                    "tool_use_id": block.id,
                    "content": turn.run(block.name, block.input),
                }
                for block in said.content
                if block.type == "tool_use"
            ]
            ask["messages"].append({"role": "user", "content": results})
        turn.text = content[0]["text"] if content else ""
    return done


def gemini(client: Any, stream: bool, questions: Sequence[str] = QUESTIONS) -> Transcript:
    done = Transcript(questions)
    declared: list[Any] = [
        types.FunctionDeclaration(name=name, parameters_json_schema=schema(name)) for name in TABLE
    ]
    off = types.AutomaticFunctionCallingConfig(disable=True)
    tools: list[Any] = [types.Tool(function_declarations=declared)]
    config = types.GenerateContentConfig(tools=tools, automatic_function_calling=off)
    contents: list[types.Content] = []
    ask: dict[str, Any] = {"model": "gemini-2.5-flash", "contents": contents, "config": config}
    for question, turn in done.ask():
        contents.append(types.Content(role="user", parts=[types.Part(text=question)]))
        while True:
            if stream:
                chunks = list(map(done.keep, client.models.generate_content_stream(**ask)))
            else:
                chunks = [done.keep(client.models.generate_content(**ask))]
            parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
            contents.append(types.Content(role="model", parts=parts))
            calls = [part.function_call for part in parts if part.function_call]
            if not calls:
                break
            results = [
                types.Part.from_function_response(
                    name=call.name, response={"name": turn.run(call.name, call.args)}
                )
                for call in calls
            ]
            contents.append(types.Content(role="user", parts=results))
        turn.text = "".join(part.text for part in parts)
    return done


PROGRAMS = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic": anthropic_messages,
    "gemini": gemini,
}
