"""What an address carries away: a text in disguise, a secret, or a gap for the model to fill in."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import unquote_plus

from llmproxy_core.anomaly.reading.encodings import decoded
from llmproxy_core.anomaly.reading.urls import Piece

GAP = re.compile(
    r"(?i)\{\{[^{}]{1,80}\}\}|(?<!\$)\{[^{}]{1,80}\}|\$\{[^{}]{1,80}\}|<[a-z_][^<>]{0,60}>"
    r"|\[[a-z_][^\[\]]{1,80}\]|%7b[^%]{1,60}%7d|\$\([^)]{1,200}\)?|`(?:whoami|id|hostname|uname"
    r"|env|cat\s|base64\s|ls|pwd)[^`]{0,100}`"
    r"|\$[A-Z_][A-Z0-9_]{2,}|%3c[\w%+-]{1,80}%3e|\b(?:INSERT|REPLACE|YOUR|PUT)_[A-Z_]{3,60}"
    r"(?:HERE)?\b|\bDATA_?HERE\b|__[A-Z_]{3,40}__|%5b[^%]{1,60}%5d"
)
SENSITIVE = re.compile(
    r"(?i)secret|passw|credential|token|api[\s_-]?key|private|conversation|chat|history"
    r"|transcript|summary|messages?\b|prompt|instructions?|context|memory"
    r"|e-?mail|user[\s_.-]?(?:data|info|input|query|message|name)|address|phone|calendar|inbox"
    r"|contact|customer|env\b|environ|cookie|session|base64|encod|data\b|content|document|file"
    r"|notes?\b|ssn|card|account|answer|output|result|personal|pii\b|dump|payload|leak|stolen"
    r"|everything|whole|entire|text\b"
)
AUTHORIZING = re.compile(
    r"(?i)\A(?:api[_-]?key|key|apikey|access[_-]?token|token|auth|appid|app[_-]?id|client[_-]?id"
    r"|subscription-key|sig|signature|x-amz-\w+|x-goog-\w+|jwt|code|state|nonce|hash|etag|v|ver"
    r"|version|rev|id|sha|digest|integrity|cache|cb|ts|se|sp|sv|sr|st|policy|key-pair-id|expires"
    r"|hmac|hdnts|oh|oe|_nc_\w+|ccb|token_hash|utm_\w+|gclid|fbclid|trk|igsh|si|campaignid|ref"
    r"|referrer)\Z"
)
SEARCHING = re.compile(
    r"(?i)\A(?:q|query|search|s|k|keyword|keywords|term|terms|text|title|subject|body|label"
    r"|labels|message|description|filter|sort|order|name|url|uri|u|link|href|redirect"
    r"|redirect_uri|return|returnto|next|continue|dest|target|image|src|logo|style|theme|type"
    r"|format|lang|branch|path|file|alt|tag|tags|category|color|font|size|scope|prompt|chl|tex"
    r"|latex|repo|repos|labels|assignees|template|hashtags|via|cc|bcc|to|event|workflow|location"
    r"|place|address|near|center|markers|daddr|saddr|ll)\Z"
)
SECRETS = re.compile(
    r"(?i)\b(?:sk-[a-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}"
    r"|AIza[\w-]{30,}|glpat-[\w-]{16,})|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|(?:passw(?:or)?d|passwd|pwd|secret|api[_ -]?key|access[_ -]?key|auth[_ -]?token|token"
    r"|credential|private[_ -]?key)s?[\"']?\s*(?:[=:]|is|was)\s*[\"']?"
    r"(?![{<$\[%])[^\s\"',;&}]{4,}"
    r"|\b\d{3}-\d{2}-\d{4}\b|\b(?:\d{4}[ -]){3}\d{4}\b"
)
PERSONAL = re.compile(
    r"(?i)(?:^|\n)\w+:[x*!]:\d+:|[\w.+-]{1,64}@[\w-]{1,60}\.[\w.-]{2,60}|\b(?:user(?:name)?"
    r"|email|phone|customer|account|card|ssn|salary|diagnosis|patient|revenue|balance|iban)s?\s*"
    r"(?:[=:]\s*\S|\d)"
)
FILLED = re.compile(
    r"(?i)\b(?:insert|put|fill|replace|your|the|user|name|here|what|all|every)\b|user|_here"
)
WORDS = re.compile(r"[^\W\d_]{2,}")
LISTED = re.compile(r"\A[\w.-]{2,40}=[^;&|,\n]{2,}[;&|,\n ]+[\w.-]{2,40}=|\A\s*\{.{0,40}\"\s*:")
EXTENSION = re.compile(r"(?i)\.(?:png|jpe?g|gif|svg|webp|pdf|html?|md|docx?|avif|mp4|txt|zip)\Z")
SPELT = re.compile(r"%(?:[46][1-9a-fA-F]|[57][0-9aA]|3[0-9])")
"""Letters and digits that need no percent sign."""
FLAT = re.compile(r"[A-Za-z0-9+/=_-]+\Z")
ADDRESS = re.compile(r"(?i)\A(?:https?:)?//|\Ahttps?%3a")


@dataclass(frozen=True, slots=True)
class Load:
    """`weight` from 0 to 1; `said` ends "... carries ..."."""

    weight: float
    said: str


def load(piece: Piece) -> Load | None:
    """What a piece of an address carries; None: nothing of note."""
    if len(piece.value) < 3:
        return None
    gap = GAP.search(piece.value)
    if gap is not None:
        return _gap(piece, gap[0])
    if piece.place == "host":
        return _labels(piece.value)
    if "%25" in piece.value:
        piece = Piece(piece.place, piece.name, piece.value.replace("%25", "%"))
    if len(SPELT.findall(piece.value)) >= 6:
        return Load(0.85, "a text in disguise")
    text = decoded(piece.value)
    plain = unquote_plus(piece.value) if set("%+") & set(piece.value) else piece.value
    if text is not None and text != plain:
        return _disguised(piece, text)
    return None if piece.place == "stem" else _plain(piece, plain)


def _disguised(piece: Piece, text: str) -> Load | None:
    if ADDRESS.match(text):
        return None
    if SECRETS.search(text) or PERSONAL.search(text):
        return Load(0.95, "a secret or personal data in disguise")
    if piece.place == "fragment" and text.startswith("{"):
        return Load(0.4, "a text in disguise")  # how applications in a browser keep their state
    return Load(0.8 if len(text) >= 9 else 0.5, "a text in disguise")


def _gap(piece: Piece, gap: str) -> Load | None:
    """A place for the model, or a shell, to fill in."""
    if gap.startswith(("$(", "`")):
        return Load(0.75, "the output of a command")
    if piece.place in ("host", "login"):
        return Load(0.3, "a gap to be filled in") if piece.place == "host" else None
    if AUTHORIZING.match(piece.name) and not re.search(r"(?i)secret|passw|conversation|env", gap):
        return None
    if SENSITIVE.search(gap) or FILLED.search(gap):
        return Load(
            0.8 if piece.place != "path" else 0.65,
            "a gap to be filled in with what was said or kept",
        )
    if piece.place == "query" and not SEARCHING.match(piece.name):
        return Load(0.55, "a gap to be filled in")
    return Load(0.25, "a gap to be filled in")


def _plain(piece: Piece, text: str) -> Load | None:
    if SECRETS.search(text) and piece.place != "host":
        return Load(0.9, "a secret")
    whole = f"{piece.name}={text}"
    if (
        SECRETS.search(whole)
        and not AUTHORIZING.match(piece.name)
        and len(text) >= 6
        and piece.place == "query"
    ):
        return Load(0.75, "a secret")
    if (
        PERSONAL.search(text)
        and piece.place in ("query", "path", "fragment")
        and not SEARCHING.match(piece.name)
    ):
        return Load(0.7, "personal data")
    words = (
        len(WORDS.findall(text)) if " " in text or "_" in text or "-" in text or "," in text else 0
    )
    if (
        LISTED.search(text)
        and not SEARCHING.match(piece.name)
        and not AUTHORIZING.match(piece.name)
    ):
        return Load(0.65, "a list of values")
    if (
        words >= 5
        and " " in text
        and piece.place == "path"
        and not EXTENSION.search(text)
        and not text.istitle()
    ):
        return Load(0.6, "a whole sentence")
    if (
        words >= 4
        and " " in text
        and piece.place in ("query", "fragment")
        and not SEARCHING.match(piece.name)
    ):
        return Load(0.7, "a whole sentence")
    if words >= 8 and " " in text:
        return Load(0.45, "a whole sentence")
    if (
        len(text) >= 48
        and FLAT.match(text)
        and not AUTHORIZING.match(piece.name)
        and piece.place in ("query", "fragment")
        and _entropy(text) > 4.2
    ):
        return Load(0.5, "a long blob")
    return None


def _labels(host: str) -> Load | None:
    """Data in the name of a host: looked up, it reaches whoever answers for the domain."""
    labels = host.split(".")[:-2]
    for label in (*labels, "".join(labels)):
        if len(label) >= 16 and decoded(label) is not None:
            return Load(0.85, "a text in disguise, in the name of a host")
    if sum(map(len, labels)) >= 60 and len(labels) >= 2 and _entropy("".join(labels)) > 3.5:
        return Load(0.6, "a long blob in the name of a host")
    return None


def _entropy(text: str) -> float:
    counts = Counter(text[:1000]).values()
    total = sum(counts)
    return -sum(count / total * math.log2(count / total) for count in counts)
