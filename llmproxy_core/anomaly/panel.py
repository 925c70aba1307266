"""The detectors together, each fenced in: one that fails or hangs stops neither others nor a call."""

from collections.abc import Container, Sequence
from contextlib import suppress

from llmproxy_core.anomaly.deadline import Bell, Deadline, TookTooLong
from llmproxy_core.anomaly.finding import Author, Detector, Finding, Text
from llmproxy_core.breaker import Breaker

PATIENCE = 0.25
"""Seconds after which a detector is interrupted, however long the text is."""
PER_CHARACTER = 2e-6
"""Seconds more for each character: ten times as long as it takes."""
WARMING = 10.0
"""Seconds that it may take a detector to get ready: one that is interrupted then may be half made."""
AUTHORS: tuple[Author, ...] = ("user", "tool")
FAILURES = 3
PAUSE, LONGEST_PAUSE = 10.0, 900.0
"""Seconds that a detector is left alone which failed so often in a row."""


class Panel:
    """Raises nothing; faults are told in words, without anything of the text."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._asked = [(one, Breaker(FAILURES, PAUSE, LONGEST_PAUSE)) for one in detectors]

    def warm(self) -> None:
        """Have the detectors read what they need (half a second), so that no call waits for it,
        and none is interrupted in it."""
        with Bell() as bell:
            for author in AUTHORS:
                for detector, _ in self._asked:
                    # what fails now fails again where that is told
                    with suppress(Exception), Deadline(WARMING, bell):
                        detector.find(Text("Nothing is wrong with this text.", author))

    def find(
        self, text: Text, faults: list[str], asked: Container[str] | None = None
    ) -> list[Finding]:
        """What is found; of detectors that could not look, `faults` is told. `asked`: by name; None:
        all."""
        found: list[Finding] = []
        seconds = PATIENCE + PER_CHARACTER * len(text.text)
        with Bell() as bell:
            for detector, breaker in self._asked:
                if asked is None or detector.name in asked:
                    found += _found(detector, breaker, text, Deadline(seconds, bell), faults)
        return found


def _found(
    detector: Detector, breaker: Breaker, text: Text, deadline: Deadline, faults: list[str]
) -> list[Finding]:
    if not breaker.may_ask():
        faults.append(f"{detector.name}: left alone for {breaker.wait:.0f} s, it failed")
        return []
    try:
        with deadline:
            found = detector.find(text)
    except TookTooLong:
        breaker.failed()
        faults.append(f"{detector.name}: interrupted after {deadline.seconds:.2f} s")
        return []
    except (Exception, RecursionError) as exc:  # noqa: BLE001  said where faults are read
        breaker.failed()
        faults.append(f"{detector.name}: {type(exc).__name__}")
        return []
    breaker.succeeded()
    return found
