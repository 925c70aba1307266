"""Data on its way out: images and links that carry it, commands and scripts that send it, orders
to do so, and tool arguments with secrets or disguised texts in them."""

from collections.abc import Iterator

from llmproxy_core.anomaly.finding import Detector, Finding, Severity, Text
from llmproxy_core.anomaly.leaks import addresses, arguments, commands, orders, scripts
from llmproxy_core.anomaly.reading.urls import urls

NAME = "exfiltration"
MOST = 20
"""Findings of one text."""
SHORT, LONG = 1000, 4000
"""Characters: below it is no document, above it is one."""
LEAST = 0.2
"""Scores below are not worth a finding."""


class Exfiltration:
    """`secrets`: the detector that knows secrets; it is asked about what tools are to send."""

    name = NAME

    def __init__(self, secrets: Detector | None = None) -> None:
        self._secrets = secrets

    def find(self, text: Text) -> list[Finding]:
        found = [one for one in self._found(text) if one.score >= LEAST]
        found.sort(key=lambda one: (-one.score, one.start))
        return found[:MOST]

    def _found(self, text: Text) -> Iterator[Finding]:
        places = urls(text.text)
        factor = 0.6 if _describes(text) else 1.0
        for url in places:
            judged = addresses.judged(url)
            if judged is not None:
                score, severity, said = judged
                score *= factor if url.standing in ("bare", "request") else 1.0
                yield Finding(NAME, "exfiltration", score, severity, url.start, url.end, said)
        for score, start, end, place in orders.orders(text.text, places):
            said = f"An order to send something kept or said to {place}."
            yield _finding(score, start, end, said)
        whole = text.kind == "arguments"
        if not whole:
            for score, start, end, what in commands.leaks(text.text, whole=False):
                yield _finding(
                    score, start, end, f"A command that sends {what} to another machine."
                )
        for score, start, end, what in scripts.leaks(text.text):
            said = f"A script that sends {what} to another machine."
            yield _finding(score * factor, start, end, said)
        yield from arguments.found(text, self._secrets)


def _describes(text: Text) -> bool:
    """A long document: the commands in it are told of, and judged when somebody runs them."""
    if text.kind == "arguments" or len(text.text) < SHORT:
        return False
    return len(text.text) > LONG or text.text.count("```") >= 2 or text.text.count("\n#") >= 2


def _finding(score: float, start: int, end: int, said: str) -> Finding:
    severity: Severity = "high" if score >= 0.7 else "medium"
    return Finding(NAME, "exfiltration", score, severity, start, end, said)
