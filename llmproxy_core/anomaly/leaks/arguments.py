"""What a tool is to send: secrets, disguised texts and commands among its arguments."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.finding import Detector, Finding, Text
from llmproxy_core.anomaly.leaks import commands
from llmproxy_core.anomaly.leaks.hosts import is_drawn, is_local
from llmproxy_core.anomaly.leaks.payload import GAP, PERSONAL, SECRETS, load
from llmproxy_core.anomaly.reading import arguments
from llmproxy_core.anomaly.reading.arguments import Field
from llmproxy_core.anomaly.reading.encodings import decoded
from llmproxy_core.anomaly.reading.names import names
from llmproxy_core.anomaly.reading.urls import Piece

NAME = "exfiltration"
SENDING = re.compile(
    r"(?i)send|post|mail|http|request|fetch|webhook|upload|publish|tweet|slack|discord|telegram"
    r"|message|notify|share|browse|navigate|visit|url|api_call|curl|web|dns|resolve|issue"
    r"|comment|gist|paste|forward|submit|sms"
)
TARGETS = names(
    "to url uri webhook webhook_url endpoint recipient recipients address channel host hostname"
    " domain destination target email to_email cc bcc callback callback_url"
)
BODIES = names(
    "body content text message data payload json params query form html description comment"
    " value subject title summary details input headers note notes caption attachment file"
    " attachments path filename hostname domain host name q"
)
HEAD = re.compile(
    r"\{\s*\\?\"(?:name|tool|tool_name|function|action|url|method|type|arguments|to)\\?\"\s*:"
)
CALLED = re.compile(
    r"\"(?:name|tool|tool_name|function|action|recipient_name)\"\s*:\s*\"([\w.:/-]{1,80})\""
)
WRITTEN = re.compile(
    r"(?i)\b(?:write|edit|create_file|save|str_replace|apply_patch|read|grep|glob|search_files"
    r"|notebook)"
)
HASH = re.compile(r"\A(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f-]{36})\Z", re.I)
PARTS = re.compile(r"[^\s\"'<>(){}\[\],;]{16,}")


def found(text: Text, secrets: Detector | None) -> Iterator[Finding]:
    """Of arguments, and of a tool call that stands in a text as JSON."""
    if text.kind == "arguments":
        yield from _judged(text.text, 0, text.tool, secrets)
        return
    head = HEAD.search(text.text)
    if head is not None:
        part = text.text[head.start() :]
        called = CALLED.search(part)
        yield from _judged(part, head.start(), called[1] if called else "", secrets)


def _judged(text: str, offset: int, tool: str, secrets: Detector | None) -> Iterator[Finding]:
    fields = arguments.fields(text)
    for field in fields:
        if arguments.kind(field, tool) == "command":
            for score, start, end, what in commands.leaks(field.value, whole=True):
                first, last = field.place(start, end)
                said = f"A command that sends {what} to another machine."
                yield _finding(score, offset + first, offset + last, said)
    if not _sends(fields, tool):
        return
    for field in fields:
        judged = _carried(field, secrets)
        if judged is not None:
            score, said = judged
            yield _finding(score, offset + field.start, offset + field.end, said)


def _sends(fields: list[Field], tool: str) -> bool:
    """Does the tool send anything to somewhere else than here?"""
    if WRITTEN.search(tool) or arguments.SHELL_TOOL.search(tool):
        return False
    targets = [field.value for field in fields if field.key in TARGETS]
    hosts = [
        part for value in targets for part in re.findall(r"//(?:[^/@\s]*@)?([\w.-]+)", value[:500])
    ]
    if hosts and all(is_local(host) or is_drawn(host) for host in hosts):
        return False
    return bool(targets) or SENDING.search(tool) is not None


def _carried(field: Field, secrets: Detector | None) -> tuple[float, str] | None:
    if field.key in ("hostname", "domain", "host", "name", "query", "q") and "." in field.value:
        held = load(Piece("host", "", field.value.lower()))
        if held is not None:
            return held.weight, f"A tool is to look up {held.said}."
    if field.key not in BODIES and not field.value.startswith(("{", "[")):
        return None
    value = field.value
    if field.key in ("headers",):
        return None
    if SECRETS.search(value) or _secret(value, secrets):
        return 0.85, "A tool is to send a secret."
    for part in PARTS.findall(value[:20_000])[:200]:
        text = None if HASH.match(part) or "://" in part else decoded(part.rstrip(".:!?"))
        if text is not None and len(text) >= 8 and text != part:
            told = SECRETS.search(text) or PERSONAL.search(text)
            return (0.92 if told else 0.72), "A tool is to send a text in disguise."
    gap = GAP.match(value.strip())
    if gap is not None and re.search(
        r"(?i)secret|passw|token|key|env|prompt|conversation|history|credential", gap[0]
    ):
        return 0.6, "A tool is to send a gap that is to be filled in with something kept."
    return None


def _secret(value: str, secrets: Detector | None) -> bool:
    return secrets is not None and any(one.score >= 0.7 for one in secrets.find(Text(value)))


def _finding(score: float, start: int, end: int, said: str) -> Finding:
    return Finding(
        NAME, "exfiltration", score, "high" if score >= 0.7 else "medium", start, end, said
    )
