"""Controls of the writing direction: what is shown is not what is read ("Trojan source")."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.hidden.revealed import Revealed

CONTROL = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
RIGHT_TO_LEFT = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
OPENS = frozenset("\u202a\u202b\u202d\u202e")
ISOLATES = frozenset("\u2066\u2067\u2068")
MOST = 2000


def found(text: str) -> Iterator[Revealed]:
    """Line by line: overrides, and what is not closed; right-to-left text may be set apart."""
    done = -1
    for n, control in enumerate(CONTROL.finditer(text)):
        if n > MOST:
            return
        if control.start() < done:
            continue
        start = text.rfind("\n", max(0, done), control.start()) + 1 or max(0, done)
        end = text.find("\n", control.start())
        done = len(text) if end < 0 else end
        line = text[start:done]
        score = _judged(line)
        if score:
            said = CONTROL.sub("", line[:8000])
            yield Revealed(
                said, control.start(), done, "text whose order is turned round", score, "high", 0.3
            )


def _judged(line: str) -> float:
    written = RIGHT_TO_LEFT.search(line) is not None
    if "\u202e" in line or "\u202d" in line:
        return 0.85 if not written else 0.5
    if not _is_balanced(line):
        return 0.75 if not written else 0.3
    turned = "\u202b" in line or "\u2067" in line
    return 0.6 if turned and not written else 0.0


def _is_balanced(line: str) -> bool:
    depth = isolated = 0
    for control in CONTROL.findall(line):
        if control in OPENS:
            depth += 1
        elif control in ISOLATES:
            isolated += 1
        elif control == "\u202c":
            depth -= 1
        else:
            isolated -= 1
        if depth < 0 or isolated < 0:
            return False
    return depth == 0 and isolated == 0
