"""What of the evidence is the operator's own: the same in every call, and so not a user's word."""

import re
import unicodedata
from collections.abc import Iterable

from llmproxy_core.enhancements.evidence import Evidence

LEAST_EXEMPLARS = 3
"""What fewer calls have in common may be chance, or one user's."""
ADDRESS = re.compile(
    r"""(?xi)
    [a-z][a-z0-9+.-]{1,15}:/{1,2}[^\s"'<>()]{1,300}          # with a scheme
    | (?<![\w.])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+   # e-mail
    | (?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])              # IPv4
    | (?<![\w.@-])(?:[\w-]{1,63}\.)+                         # a host, of a usual domain
      (?:com|org|net|edu|gov|mil|int|io|ai|app|dev|co|me|info|biz|xyz|site|online|club|top|icu|shop
        |cloud|link|live|example|test|local|internal|onion|zip|sh|ly|gg|to|tv|cc|ws|us|uk|eu|de|fr
        |nl|it|es|pl|se|no|fi|ch|at|be|pt|cz|ru|ua|cn|jp|kr|in|br|au|ca|mx|tr|ir|id|vn|pw|tk|su)
      (?![\w-])
    """
)
MODEL = re.compile(
    r"(?i)(?<![\w-])(?:gpt|chatgpt|claude|gemini|gemma|llama|mistral|mixtral|qwen|deepseek|grok"
    r"|command-r|nova|phi|o[1-9])(?:[-_/:. ]?[\w.]*\d[\w.-]*|-[\w.-]+)"
)
NAMED = re.compile(
    r"(?i)\b(?:tool|function|plugin|connector|call|invoke|run)s?\s+(?:(?:named|called|the)\s+)?"
    r"[`\"']?([a-z]\w*[_.]\w[\w.]*)"
)
SUFFIXED = re.compile(r"(?i)[`\"']?\b([a-z]\w*)[`\"']?\s+(?:tool|function|plugin)\b")
CALLED = re.compile(r"(?<!\w)([A-Za-z]\w{2,})\(\)")


def texts(evidence: Evidence) -> list[str]:
    """The template's constant pieces, and the system prompt where several calls have the same."""
    systems = [one.system for one in evidence.exemplars]
    same = systems[:1] if len(systems) >= LEAST_EXEMPLARS and len(set(systems)) == 1 else []
    return [piece for piece in (*evidence.constant, *same) if piece]


def added(text: str, evidence: Evidence) -> str | None:
    """What the text names that neither the operator nor the request's own parts do."""
    known = "\n".join(texts(evidence)).casefold()
    models = {call.model.casefold() for call in evidence.calls}
    tools = {name for call in evidence.calls for name in call.declared}
    for kind, names in (
        ("address", _addresses(text)),
        ("model", (found[0] for found in MODEL.finditer(text))),
        ("tool", _tools(text)),
    ):
        for name in names:
            own = name in tools if kind == "tool" else name.casefold() in models
            if not own and not _stands_in(name.casefold(), known):
                return f"it names the {kind} {name[:80]!a}, which the prompts do not have"
    return None


def _stands_in(name: str, known: str) -> bool:
    """As a whole: a part of an address may be another one."""
    return re.search(rf"(?<![\w.@-]){re.escape(name)}(?![\w@/-]|\.\w)", known) is not None


def _addresses(text: str) -> Iterable[str]:
    """Dots in other scripts and widths count as dots."""
    for found in ADDRESS.finditer(unicodedata.normalize("NFKC", text).replace("。", ".")):
        yield found[0].rstrip(".,;:!?")


def _tools(text: str) -> Iterable[str]:
    for pattern in (NAMED, CALLED):
        yield from (found[1].rstrip(".") for found in pattern.finditer(text))
    for found in SUFFIXED.finditer(text):
        if "_" in found[1] or any(one.isupper() for one in found[1][1:]):
            yield found[1]


def copied(text: str, evidence: Evidence, words: int = 8) -> str | None:
    """A passage of `words` words that only single calls have: a user's text, which the edit would
    send with the calls of everybody."""
    known = {gram for one in texts(evidence) for gram in _grams(one, words)}
    known |= set(_grams(evidence.template, words))
    own = set(_grams(text, words)) - known
    for one in evidence.exemplars:
        for other in (one.user, one.answer, one.system):
            if shared := own.intersection(_grams(other, words)):
                return f"it copies from a call: {min(shared)[:80]!a}"
    return None


def _grams(text: str, n: int) -> Iterable[str]:
    """In scripts without spaces, of characters: about three for a word."""
    words = re.findall(r"\w+", text.casefold())
    if len(words) < n and not text.isascii():
        solid = "".join(words)
        return (solid[at : at + 3 * n] for at in range(len(solid) - 3 * n + 1))
    return (" ".join(words[at : at + n]) for at in range(len(words) - n + 1))
