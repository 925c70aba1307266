"""A whole shell text, judged: every program it starts, and what they do together."""

from collections.abc import Iterator

from llmproxy_core.anomaly.dangers import fetched, files, scripts, services, system
from llmproxy_core.anomaly.dangers.calls import MOST, Call, calls
from llmproxy_core.anomaly.dangers.danger import Danger

LONGEST = 20_000
"""Characters that are looked at for PowerShell, which is not taken apart into words."""
JUDGES = (files.judged, fetched.judged, system.judged, services.judged, scripts.judged_powershell)
BOMB = Danger(0.97, "critical", "starts processes without end, until the machine stands still")

TOO_LONG = Danger(0.5, "medium", "is too long to be judged to its end")

type Placed = tuple[Danger, int, int]
"""A danger, with its start and end in the text."""


def dangers(text: str) -> Iterator[Placed]:
    """What a shell text would do, program by program."""
    found = calls(text)
    for call in found:
        danger = judged(call)
        if danger is not None:
            yield danger, call.start, call.end
    if len(found) == MOST:
        yield TOO_LONG, 0, len(text)
    for call, danger in fetched.across(found):
        yield danger, call.start, call.end
    if bomb := fetched.bomb(text):
        yield BOMB, bomb.start(), bomb.end()
    if windows := scripts.judged_windows(text[:LONGEST]):
        yield windows, 0, len(text)


def judged(call: Call) -> Danger | None:
    """The worst that one call does."""
    said = [danger for judge in JUDGES if (danger := judge(call)) is not None]
    if call.code:
        said += [danger for danger, _, _ in in_code(call.code)]
    return max(said, key=lambda danger: danger.score) if said else None


def in_code(text: str) -> Iterator[Placed]:
    """What a script in another language would do, the shell texts in it among it."""
    danger = scripts.judged_code(text)
    if danger is not None:
        yield danger, 0, len(text)
    for shell_text in scripts.shell_texts(text):
        for inner, _, _ in dangers(shell_text):
            yield inner, 0, len(text)
