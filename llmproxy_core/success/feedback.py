"""`feedback`: what a person says of an answer, by a command or in a header of the next request.

`x-llmproxy-feedback: ID=up, ID=down`. An ID is that of a request of ours or of an answer, as the
provider named it. The header is for us: it is taken out before the request is forwarded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from llmproxy_core.model import Headers
from llmproxy_core.success.signal import Signal, Verdict, worded

HEADER = "x-llmproxy-feedback"
VERDICTS: dict[str, Verdict] = {"up": "good", "down": "bad"}
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+=-]{0,199}")
MOST = 16
"""Verdicts in one request."""
LONGEST = 4096
"""Characters of the header."""
SURE = 1.0


@dataclass(frozen=True, slots=True)
class Feedback:
    """`id`: of a request or an answer."""

    id: str
    verdict: Verdict

    def signal(self, request: UUID, why: str = "", by: UUID | None = None) -> Signal:
        """`request`: the one that `id` names. `by`: the request in whose header it stood."""
        return Signal(request, "feedback", self.verdict, "user", SURE, worded(why), by)


@dataclass(frozen=True, slots=True)
class Taken:
    """The headers without ours, what it says, and what in it could not be read."""

    headers: Headers
    feedback: list[Feedback]
    problems: list[str]


def is_feedback(name: str) -> bool:
    return name.lower() == HEADER


def take_feedback(headers: Headers) -> Taken:
    """Never raises; the header is taken out whatever it says."""
    values = [value for name, value in headers if is_feedback(name)]
    if not values:
        return Taken(headers, [], [])
    rest = [(name, value) for name, value in headers if not is_feedback(name)]
    found, problems = read_feedback(values)
    return Taken(rest, found, problems)


def read_feedback(values: Iterable[str]) -> tuple[list[Feedback], list[str]]:
    """Of the values of all headers of the name. The last word about an id holds."""
    text = ",".join(values)
    problems = []
    if len(text) > LONGEST:
        problems.append(f"{HEADER}: only the first {LONGEST} characters are read")
    entries = [entry.strip() for entry in text[:LONGEST].split(",") if entry.strip()]
    if len(entries) > MOST:
        problems.append(f"{HEADER}: only the first {MOST} entries are read")
    found: dict[str, Feedback] = {}
    for entry in entries[:MOST]:
        id, _, word = (part.strip() for part in entry.rpartition("="))
        verdict = VERDICTS.get(word.lower())
        if verdict is None or not ID.fullmatch(id):
            problems.append(f"{HEADER}: {entry[:80]!r} is not ID=up or ID=down")
            continue
        found[id] = Feedback(id, verdict)
    return list(found.values()), problems
