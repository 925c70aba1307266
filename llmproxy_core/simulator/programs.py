"""The calls that the simulated programs make. A session is a conversation that grows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any
from uuid import NAMESPACE_URL, uuid5

OPENAI = "https://api.openai.com/v1"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models"
GROQ = "https://api.groq.com/openai/v1"

QUESTIONS = (
    "Why does tests/test_cart.py fail since this morning?",
    "Which index would make this query fast: SELECT * FROM orders WHERE state = 'open'?",
    "Summarise the report of the third quarter in a table.",
    "How do I move the last three commits to another branch?",
    "Answer Ms. Moreau: her replacement part was sent today.",
    "Why does this script need 4 GB of memory?",
    "What is the capital of France, and since when?",
    "The payment service is down. What does the log say?",
)
SYSTEM = (
    "You are a careful software engineer. Read before you write, say what you are not sure of, "
    "prefer small changes, and run the tests after each of them. " * 36
)
READ_FILE = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}},
    "required": ["path"],
}
GET_WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


@dataclass(slots=True)
class Call:
    """`pause`: seconds until the program's next call."""

    url: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 1.0


def coding_agent(session: int) -> Iterator[Call]:
    """Anthropic Messages with tools and thinking, as a coding agent in a terminal does it."""
    headers = {
        "x-api-key": "sk-ant-demo-not-a-key",
        "anthropic-version": "2023-06-01",
        "user-agent": "claude-cli/3.4.0 (external, cli)",
        "x-claude-code-session-id": str(uuid5(NAMESPACE_URL, f"coding-{session}")),
        "x-simulate": "delay=30,first=250",
    }
    tool = {"name": "read_file", "description": "Read a file.", "input_schema": READ_FILE}
    messages: list[dict[str, Any]] = []
    for turn, question in enumerate(_questions(session, 4)):
        text = f"{question} Use read_file." if turn % 2 == 0 else question
        messages.append({"role": "user", "content": text})
        body = {
            "model": "claude-opus-5-5",
            "max_tokens": 8000,
            "system": [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
            "tools": [tool],
            "thinking": {"type": "enabled", "budget_tokens": 2000},
            "stream": True,
        }
        yield Call(ANTHROPIC, body | {"messages": list(messages)}, headers, 0.6)
        if turn % 2 == 0:
            used = {"type": "tool_use", "id": f"toolu_{turn}", "name": "read_file"}
            messages.append({"role": "assistant", "content": [used | {"input": {"path": "a.py"}}]})
            output = "def total(cart):\n    return sum(item.price for item in cart)\n" * 8
            result = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": output}
            messages.append({"role": "user", "content": [result]})
            yield Call(ANTHROPIC, body | {"messages": list(messages)}, headers, 1.5)
        messages.append({"role": "assistant", "content": "Done; the tests pass."})


def chat_agent(session: int) -> Iterator[Call]:
    """OpenAI Chat Completions with a tool."""
    headers = _openai("OpenAI/Python 3.54.0") | {"x-simulate": "delay=20,first=180"}
    function = {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": GET_WEATHER,
    }
    messages: list[dict[str, Any]] = [{"role": "system", "content": SYSTEM[:400]}]
    for turn, question in enumerate(_questions(session, 3)):
        asked = "Call get_weather for Paris." if turn == 1 else question
        messages.append({"role": "user", "content": asked})
        body = {
            "model": "gpt-6.1-sol",
            "messages": list(messages),
            "tools": [{"type": "function", "function": function}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        yield Call(f"{OPENAI}/chat/completions", body, headers, 1.2)
        messages.append({"role": "assistant", "content": "It is 18 degrees in Paris."})


def responses_agent(session: int) -> Iterator[Call]:
    """OpenAI Responses with reasoning."""
    thread = str(uuid5(NAMESPACE_URL, f"responses-{session}"))
    headers = _openai("codex_cli_rs/0.160.0") | {
        "session-id": thread,
        "x-simulate": "delay=25,first=300,reasoning=true",
    }
    items: list[dict[str, Any]] = []
    for question in _questions(session + 3, 3):
        items.append({"role": "user", "content": [{"type": "input_text", "text": question}]})
        body = {
            "model": "gpt-6.1-terra",
            "instructions": SYSTEM,
            "input": list(items),
            "reasoning": {"effort": "medium", "summary": "auto"},
            "prompt_cache_key": thread,
            "stream": True,
        }
        yield Call(f"{OPENAI}/responses", body, headers, 2.0)
        said = [{"type": "output_text", "text": "I looked at it: it is the certificate."}]
        items.append({"role": "assistant", "content": said})


def assistant(session: int) -> Iterator[Call]:
    """Gemini, streamed; every second session whole."""
    headers = {
        "x-goog-api-key": "AIza-demo-not-a-key",
        "user-agent": "google-genai-sdk/2.8.0 gl-python/3.12",
        "x-simulate": "delay=40,first=200",
    }
    method = "generateContent" if session % 2 else "streamGenerateContent?alt=sse"
    contents: list[dict[str, Any]] = []
    for question in _questions(session + 5, 3):
        contents.append({"role": "user", "parts": [{"text": question}]})
        thinking = {"thinkingConfig": {"includeThoughts": True}}
        body = {"contents": list(contents), "generationConfig": thinking}
        yield Call(f"{GEMINI}/gemini-3.8-flash:{method}", body, headers, 1.8)
        contents.append({"role": "model", "parts": [{"text": "Since the tenth century."}]})


def batch_job(session: int) -> Iterator[Call]:
    """Many small calls of a script, one after the other; now and then one goes wrong."""
    headers = {"authorization": "Bearer gsk_demo-not-a-key", "user-agent": "nightly-labels/1.2"}
    luck = cycle(("", "", "", "status=429", "", "", "error_after=6", "", "reset_after=5", ""))
    for row, how in enumerate(islice(luck, 10)):
        body = {
            "model": "openai/gpt-oss-20b",
            "messages": [
                {"role": "user", "content": f"Label row {session * 10 + row}: late again"}
            ],
            "temperature": 0,
            "stream": how.startswith(("error", "reset")),
        }
        control = {"x-simulate": f"first=60,{how}"}
        yield Call(f"{GROQ}/chat/completions", body, headers | control, 0.9)


def indexer(session: int) -> Iterator[Call]:
    """Embeddings: a format that is kept raw."""
    headers = _openai("OpenAI/JS 7.2.0")
    for question in _questions(session, 2):
        body = {"model": "text-embedding-3-small", "input": [question] * 8}
        yield Call(f"{OPENAI}/embeddings", body, headers, 4.0)


PROGRAMS = (coding_agent, chat_agent, responses_agent, assistant, batch_job, indexer)


def _questions(start: int, many: int) -> Iterator[str]:
    return islice(cycle(QUESTIONS), start % len(QUESTIONS), start % len(QUESTIONS) + many)


def _openai(agent: str) -> dict[str, str]:
    return {"authorization": "Bearer sk-demo-not-a-key", "user-agent": agent}
