"""How sure it is that an address takes data away."""

import re

from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.anomaly.leaks.hosts import is_drawn, is_local, suspicion
from llmproxy_core.anomaly.leaks.payload import Load, load
from llmproxy_core.anomaly.reading.urls import Url

FETCHED = {"image": 1.0, "link": 0.85, "request": 0.85, "argument": 0.85, "bare": 0.75}
GAPS = {"image": 1.0, "link": 0.7, "request": 0.55, "argument": 0.8, "bare": 0.5}
"""Documents write gaps into addresses for people to fill in; nobody fills in those of an image."""
PIXEL = re.compile(
    r"(?i)/(?:pixel|beacon|track(?:er|ing)?|collect|log(?:ger)?|leak|exfil\w*|steal|spy|1x1"
    r"|blank|spacer|t|i|p|px|c|img|open|ping|hit|cb|callback)(?:\.(?:gif|png|jpe?g|svg|webp|bmp"
    r"|ico|php|js))?\Z"
)
STANDING = {
    "image": "An image that is fetched at sight",
    "link": "A link",
    "request": "A request",
    "argument": "An address in a tool's arguments",
    "bare": "An address",
}

type Judged = tuple[float, Severity, str]


def judged(url: Url) -> Judged | None:
    """Score, severity and what to say; None: nothing of note."""
    loads = [found for piece in url.pieces() if (found := load(piece)) is not None]
    heaviest = max(loads, key=lambda found: found.weight, default=None)
    if heaviest is None:
        return None
    score = _score(url, heaviest)
    severity: Severity = "high" if url.standing in ("image", "argument") else "medium"
    if score >= 0.5 and "secret" in heaviest.said:
        severity = "critical"
    place = (
        url.host[:80] if not heaviest.said.startswith("a gap") or "{" not in url.host else "a host"
    )
    return score, severity, f"{STANDING[url.standing]} to {place} carries {heaviest.said}."


def _score(url: Url, heaviest: Load) -> float:
    factor = (GAPS if heaviest.said.startswith("a gap") else FETCHED)[url.standing]
    score = heaviest.weight * factor
    if heaviest.said == "a whole sentence" and url.standing == "link" and "#" in url.text:
        score *= 0.6  # headings are named so
    if is_drawn(url.host) and "secret" not in heaviest.said:
        return score * 0.35
    if is_local(url.host):
        return score * 0.4
    score += suspicion(url.host, url.port)
    if "?" in url.text and url.standing == "image" and (url.hidden or PIXEL.search(url.path)):
        score += 0.15
    return min(score, 0.99)
