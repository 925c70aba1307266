"""What a policy's expression may ask about: the names, their kinds, and what they mean.

Names of OpenTelemetry's GenAI conventions stand beside the short ones where there are any; both
are the same fact (`SAME`).
"""

from collections.abc import Mapping

from llmproxy_core.expressions.values import Type, Words

FAMILY = Words(
    (
        "secret",
        "pii",
        "injection",
        "indirect_injection",
        "jailbreak",
        "exfiltration",
        "hidden_text",
        "dangerous_tool",
        "unusual_use",
    )
)
SEVERITY = Words(("low", "medium", "high", "critical"), ordered=True)
AUTHOR = Words(("system", "user", "assistant", "tool"))
KIND = Words(("text", "reasoning", "arguments", "result", "document"))

DESCRIBED: Mapping[str, tuple[Type, str]] = {
    "finding.detector": ("text", "the detector that found it"),
    "finding.family": (FAMILY, "what sort of finding it is"),
    "finding.score": ("number", "how sure the detector is, from 0 to 1"),
    "finding.severity": (SEVERITY, "how bad it would be"),
    "finding.said": ("text", "the sentence shown to people"),
    "finding.author": (AUTHOR, "who wrote the text it was found in"),
    "finding.kind": (KIND, "what the text is: prose, a tool's arguments or result ..."),
    "finding.tool": ("text", "the tool whose arguments or result it was found in"),
    "findings.count": ("number", "findings of this call so far"),
    "findings.families": ("list", "families found in this call so far"),
    "findings.score": ("number", "the highest score of this call so far"),
    "namespace": ("text", "the namespace of the call"),
    "client.name": ("text", "the program that made the call"),
    "client.user": ("text", "who logged in at the proxy"),
    "client.address": ("text", "the address the call came from"),
    "key.fingerprint": ("text", "the fingerprint of the API key"),
    "session.id": ("text", "the conversation"),
    "provider.name": ("text", "who answers, as `gen_ai.provider.name`"),
    "provider.host": ("text", "the host that was called, as `server.address`"),
    "operation": ("text", "chat, embeddings ..., as `gen_ai.operation.name`"),
    "model": ("text", "the model asked for, as `gen_ai.request.model`"),
    "request.method": ("text", "the HTTP method"),
    "request.path": ("text", "the path, without the query"),
    "request.bytes": ("number", "bytes of the body"),
    "request.messages": ("number", "messages in the request"),
    "request.tools": ("list", "names of the tools on offer"),
    "request.stream": ("bool", "an answer in pieces was asked for"),
    "request.max_tokens": ("number", "as `gen_ai.request.max_tokens`"),
    "request.temperature": ("number", "as `gen_ai.request.temperature`"),
    "request.input_tokens": ("number", "tokens of the request, estimated before the answer"),
    "response.status": ("number", "the HTTP status, as `http.response.status_code`"),
    "response.model": ("text", "the model that answered, as `gen_ai.response.model`"),
    "response.finish_reasons": ("list", "as `gen_ai.response.finish_reasons`"),
    "response.input_tokens": ("number", "as `gen_ai.usage.input_tokens`"),
    "response.output_tokens": ("number", "as `gen_ai.usage.output_tokens`"),
    "response.bytes": ("number", "bytes of the body"),
    "response.ms": ("number", "milliseconds from the request to the end of the answer"),
    "tool": ("text", "the tool called, as `gen_ai.tool.name`"),
    "cost.usd": ("number", "what the call costs; before the answer an estimate"),
    "time.hour": ("number", "hour of the day, 0 to 23, in the proxy's time zone"),
    "time.weekday": ("number", "1 is Monday, 7 is Sunday"),
}
SAME: Mapping[str, str] = {
    "gen_ai.provider.name": "provider.name",
    "server.address": "provider.host",
    "gen_ai.operation.name": "operation",
    "gen_ai.request.model": "model",
    "gen_ai.request.max_tokens": "request.max_tokens",
    "gen_ai.request.temperature": "request.temperature",
    "http.response.status_code": "response.status",
    "gen_ai.response.model": "response.model",
    "gen_ai.response.finish_reasons": "response.finish_reasons",
    "gen_ai.usage.input_tokens": "response.input_tokens",
    "gen_ai.usage.output_tokens": "response.output_tokens",
    "gen_ai.tool.name": "tool",
    "gen_ai.conversation.id": "session.id",
}
"""OpenTelemetry's name: ours. Facts are told under our names only."""
VARIABLES: Mapping[str, Type] = {
    **{name: type_ for name, (type_, _) in DESCRIBED.items()},
    **{name: DESCRIBED[ours][0] for name, ours in SAME.items()},
}
