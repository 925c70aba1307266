"""HTML and Markdown that is not shown: comments, and elements made invisible by their style."""

import html
import re
from collections.abc import Iterator

from llmproxy_core.anomaly.hidden.revealed import Revealed
from llmproxy_core.anomaly.reading.scanning import Pattern

GATE = Pattern(
    r"<!--|\[(?://|comment|_metadata_)[^\]]*\]:|(?i:style\s*=|<style|\shidden|aria-hidden"
    r"|<template|<noscript|<font|class\s*=\s*.?(?:sr-only|visually-hidden|hidden))"
)
COMMENT = Pattern(r"<!--")
MARKDOWN_COMMENT = re.compile(
    r"(?m)^\s{0,3}\[(?://|comment)[^\]\n]{0,40}\]:\s*(?:#|<>)?\s*[(\"']([^\n]{10,2000})[)\"']\s*$"
)
CONCEALING = (
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0*[1-9]?\s*"
    r"(?:[;\"'}!]|$)|font-size\s*:\s*(?:0|1px|0\.\d+|0?\.\d+)\s*(?:px|pt|em|rem|%|;|\"|'|}|$)|line-height\s*:\s*0"
    r"|color\s*:\s*(?:transparent|rgba\([^)]{0,30},\s*0(?:\.0\d*)?\s*\))"
    r"|text-indent\s*:\s*-\d{3,}|(?:left|top|right|bottom|margin-left)\s*:\s*-\d{3,}"
    r"|clip\s*:\s*rect\(\s*[01]|clip-path\s*:\s*inset\(\s*(?:50|100)%|(?:max-)?(?:height"
    r"|width)\s*:\s*[01](?:px)?\s*[;\"'}]|transform\s*:\s*scale\(\s*0|z-index\s*:\s*-\d{2,}"
)
CONCEALED = Pattern(
    rf"(?i)<\w{{1,12}}\b[^<>]{{0,600}}?(?:style\s*=\s*.?[^<>]{{0,400}}?(?:{CONCEALING}"
    rf"|color\s*:\s*(?:white|\#fff(?:fff)?|snow|ivory|\#fefefe|rgb\(\s*25[0-5])[^<>]{{0,300}})"
    rf"|\shidden\b|color\s*=\s*.?(?:white|\#fff(?:fff)?)|class\s*=\s*.?(?:sr-only"
    rf"|visually-hidden|hidden)|aria-hidden\s*=\s*.?true)[^<>]*>"
)
PALE = re.compile(
    r"(?i)color\s*[:=]\s*[\"']?(?:white|#fff(?:fff)?|snow|ivory|#fefefe|rgb\(\s*25[0-5])"
)
DARK = re.compile(
    r"(?i)background(?:-color)?\s*:\s*(?!(?:white|#fff(?:fff)?|snow|ivory|transparent|none"
    r"|rgb\(\s*25[0-5])\b)[a-z#]"
)
SHEET = re.compile(
    rf"(?is)[.#]([\w-]{{1,40}})\s*\{{[^{{}}]{{0,400}}?(?:{CONCEALING}|color\s*:\s*(?:white|\#fff(?:fff)?)\b)"
)
TAG = re.compile(r"<[^<>]{0,2000}>")
LONGEST = 8000
MOST = 200
SHORTEST = 12


def found(text: str) -> Iterator[Revealed]:
    if ("<" in text or "]:" in text) and GATE.within(text):
        yield from _comments(text)
        yield from _elements(text)
        if "<style" in text.lower():
            yield from _classes(text)


def _comments(text: str) -> Iterator[Revealed]:
    done = -1
    for start, _ in COMMENT.places(text)[:MOST]:
        if start < done:
            continue
        end = text.find("-->", start + 4)
        done = len(text) if end < 0 else end
        said = text[start + 4 : min(done, start + LONGEST)].strip()
        if len(said) >= SHORTEST:
            yield Revealed(
                said, start, min(done + 3, len(text)), "text in an HTML comment", 0.0, "medium", 0.9
            )
    comments = MARKDOWN_COMMENT.finditer(text) if "[//" in text or "[comment" in text else ()
    for number, comment in enumerate(comments):
        if number < MOST:
            yield Revealed(
                comment[1],
                comment.start(),
                comment.end(),
                "text in a Markdown comment",
                0.0,
                "medium",
                0.9,
            )


def _elements(text: str) -> Iterator[Revealed]:
    for start, end in CONCEALED.places(text)[:MOST]:
        tag = text[start:end]
        if PALE.search(tag) and DARK.search(tag):
            continue
        yield from _element(text, start, end, tag)


def _element(text: str, start: int, end: int, tag: str) -> Iterator[Revealed]:
    """What stands between a tag and the one that closes it."""
    name = re.match(r"<(\w+)", tag)
    closing = re.compile(rf"(?i)</{name[1] if name else ''}\s*>").search(text, end, end + LONGEST)
    last = closing.start() if closing else min(len(text), end + LONGEST)
    said = html.unescape(TAG.sub(" ", text[end:last])).strip()
    if len(said) >= SHORTEST and " " in said:
        yield Revealed(
            " ".join(said.split()),
            start,
            last,
            "text that its style makes invisible",
            0.25,
            "high",
            0.75,
        )


def _classes(text: str) -> Iterator[Revealed]:
    """Elements of a class, or with an id, that a style sheet hides."""
    for rule in list(SHEET.finditer(text))[:20]:
        named = re.compile(
            rf"(?i)<\w{{1,12}}\b[^<>]{{0,200}}(?:class"
            rf"|id)\s*=\s*[\"']?[^\"'<>]{{0,80}}\b{re.escape(rule[1])}\b[^<>]{{0,200}}>"
        )
        for tag in list(named.finditer(text))[:10]:
            yield from _element(text, tag.start(), tag.end(), tag[0])
