"""Addresses in a text, and how they stand there: images are fetched at sight, links by a click."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from llmproxy_core.anomaly.reading.names import names
from llmproxy_core.anomaly.reading.scanning import Pattern

BEFORE = 320
"""Characters in front of an address that tell how it stands there."""
START = Pattern(
    r"(?i)(?:https?|ftps?|wss?"
    r"|hxxps?):\\?/\\?/[\w\[{$%<@.-]|(?:[\"'(=<]|\]:\s+|\(\s+)//[\w\[{$%<@.-]|\s//[\w-]+(?:\.[\w-]+)+/"
)
BODY = re.compile(
    r"""(?:[^\s<>"'`(){}\[\]\\$|]|\\(?=[/&?=])|<[A-Za-z_][^<>\n]{0,60}>|\{\{[^{}\n]{0,80}\}\}|\{[^{}\n"]{0,80}\}
    |\$\{[^{}\n]{0,80}\}|\$\([^()\n]{0,200}(?:\([^()\n]{0,80}\)[^()\n]{0,80})?\)|`(?:whoami|id
    |hostname|uname|env|cat\s|base64\s|ls|pwd)[^`\n]{0,100}`
    |\[[^\[\]\n]{1,80}\](?!\()|\([^()\s]{0,80}\)|\$(?=\w))*+""",
    re.VERBOSE,
)
IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\]\(\s*<?\Z")
LINK = re.compile(r"\]\(\s*<?\Z")
DEFINITION = re.compile(r"(?:^|\n)[ ]{0,3}\[([^\[\]\n]{1,80})\]:\s*<?\Z")
ATTRIBUTE = re.compile(
    r"(?i)<(\w{1,12})\b[^<>]*\b(?:src|srcset|href|data|poster|action|background|content"
    r"|formaction|xlink:href)\s*=\s*\\?[\"']?[^\"'<>\s]{0,20}\Z"
)
STYLE = re.compile(r"(?i)(?:url\(\s*[\"']?|@import\s+[\"']?)\Z")
SCRIPT = re.compile(
    r"(?i)(?:\bfetch\s*\(|\.(?:get|post|put|patch|open|request|send|urlopen|sendBeacon|src|href"
    r"|location)\b\s*[(=]|urlopen\s*\(|WebSocket\s*\(|Image\s*\(|\bcurl\b|\bwget\b|\biwr\b"
    r"|\birm\b|invoke-\w+|\bhttpx?\b)[^\n]{0,120}\Z"
)
ARGUMENT = re.compile(
    (
        r"\\?[\"'](?:url|uri|link|href|endpoint|webhook|webhook_url|callback|address|target|src"
        r"|image_url|image)\\?[\"']\s*:\s*\\?[\"']\Z"
    ),
    re.I,
)
TRAILING = ".,;:!?*_"
FETCHED_TAGS = names(
    "img script iframe link video audio source embed object input body frame track image use"
)
HIDDEN = re.compile(
    r"(?i)\b(?:width|height)\s*[=:]\s*[\"']?[01](?:px)?\b|display\s*:\s*none"
    r"|visibility\s*:\s*hidden|opacity\s*:\s*0(?!\.)"
)

type Standing = Literal["image", "link", "request", "argument", "bare"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A value in an address. `place`: `query`, `path`, `fragment`, `host`, `login`, or `stem`: several parts of
    a path, or one without its ending."""

    place: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Url:
    """An address; `text` as written, `host` in lower case without a port."""

    text: str
    start: int
    end: int
    standing: Standing
    host: str
    port: str
    path: str
    hidden: bool

    def pieces(self) -> Iterator[Piece]:
        """Everything in it that can carry data."""
        rest = self.text.split("//", 1)[1] if "//" in self.text else self.text
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        login = authority.rpartition("@")[0]
        if login:
            yield Piece("login", "", login)
        yield Piece("host", "", self.host)
        tail = rest[len(authority) :]
        before, _, fragment = tail.partition("#")
        path, _, query = before.partition("?")
        yield from _segments(path)
        for part in re.split(r"[&;]", query)[:200]:
            if part:
                yield _pair("query", part)
        if fragment:
            yield _pair("fragment", fragment)


def _segments(path: str) -> Iterator[Piece]:
    """The parts of a path, and all from the first long one on: base64 has slashes, too."""
    parts = [part for part in path.split("/")[:100] if part]
    for part in parts:
        yield Piece("path", "", part)
        if len(stem := part.rpartition(".")[0]) >= 12:
            yield Piece("stem", "", stem)
    long = next((at for at, part in enumerate(parts) if len(part) >= 12), len(parts))
    if long < len(parts) - 1:
        yield Piece("stem", "", "/".join(parts[long:]))


def _pair(place: str, part: str) -> Piece:
    name, _, value = part.partition("=")
    if value.strip("="):
        return Piece(place, unquote(name), value)
    return Piece(place, "", part if value else name)


def urls(text: str) -> list[Url]:
    """In order; scanning.MOST at most."""
    found: list[Url] = []
    images: frozenset[str] | None = None
    at = 0
    for first, last in START.places(text) if "//" in text or "/\\/" in text else []:
        if first < at:
            continue
        start = first if text[first].isalpha() else text.index("//", first)
        body = BODY.match(text, min(last - 1, start + 2) if text[start] == "/" else last - 1)
        at = max(body.end() if body else last, last)
        written = text[start:at].rstrip(TRAILING)
        before = text[max(0, start - BEFORE) : start]
        standing, name = _standing(before)
        if name:
            images = _used_as_images(text) if images is None else images
            standing = "image" if name.lower() in images else "link"
        after = text[at : at + 80].split(">", 1)[0]
        found.append(
            _url(
                html.unescape(written).replace("\\", ""),
                start,
                start + len(written),
                standing,
                before,
                after,
            )
        )
    return found


def _url(written: str, start: int, end: int, standing: Standing, before: str, after: str) -> Url:
    rest = written.split("//", 1)[1]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host, _, port = authority.rpartition("@")[2].partition(":")
    path = re.split(r"[?#]", rest[len(authority) :], maxsplit=1)[0]
    tag = before[before.rfind("<") :] if "<" in before else ""
    hidden = standing == "image" and HIDDEN.search(f"{tag} {after}") is not None
    return Url(written, start, end, standing, host.lower().rstrip("."), port, path, hidden)


def _standing(before: str) -> tuple[Standing, str]:
    """And the label of a reference that the address is for."""
    tail = before[-24:]
    if LINK.search(tail):
        return ("image" if IMAGE.search(before) else "link"), ""
    if "]:" in tail and (definition := DEFINITION.search(before)):
        return "link", definition[1]
    if tail.rstrip(" \"'\\")[-1:] in ("=", "(", "t") or "=" in tail:
        if attribute := ATTRIBUTE.search(before):
            return ("image" if attribute[1].lower() in FETCHED_TAGS else "link"), ""
        if STYLE.search(before):
            return "image", ""
    if ARGUMENT.search(before[-40:]):
        return "argument", ""
    if SCRIPT.search(before.rpartition("\n")[2]):
        return "request", ""
    return "bare", ""


def _used_as_images(text: str) -> frozenset[str]:
    """Labels in `![alt][label]` and `![label][]`."""
    pairs = re.findall(r"!\[([^\[\]\n]{0,200})\](?:\[([^\[\]\n]{0,80})\])?", text)
    return frozenset((label or alt).lower() for alt, label in pairs)
