"""What is written of heads, and of texts for people: no credentials, and no secrets."""

from collections.abc import Sequence

from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.model import Headers
from llmproxy_core.spans.recent import Recent

REMEMBERED = 4096
"""Headers and paths that are known to have no secret."""
LONGEST = 4096
"""Characters of one that is remembered."""


class Heads:
    """`masking`: None: only credentials are replaced. Not thread-safe, but for `text`."""

    def __init__(self, scrubber: Scrubber, masking: SecretMasking | None) -> None:
        self._scrubber = scrubber
        self._masking = masking
        self._clean: Recent[str, bool] = Recent(REMEMBERED)

    def headers(self, headers: Sequence[tuple[str, str]]) -> Headers:
        """The same headers, credentials replaced and secrets masked."""
        written = self._scrubber.headers(headers)
        if self._masking is None:
            return written
        unknown = [line for line in map(": ".join, written) if self._clean.get(line) is None]
        if not unknown or self._are_clean(unknown):
            return written
        return [(name, self._value(name, value)) for name, value in written]

    def path(self, path: str) -> str:
        """A path with query."""
        written = self._scrubber.path(path)
        if self._masking is None or self._clean.get(written) or self._are_clean([written]):
            return written
        return self._masking.line(written)

    def text(self, text: str) -> str:
        """A text meant for people: a log line, an error."""
        written = self._scrubber.text(text)
        return written if self._masking is None else self._masking.line(written)

    def _are_clean(self, lines: list[str]) -> bool:
        together = "\n".join(lines)
        if self._masking is None or self._masking.line(together) != together:
            return False
        for line in lines:
            if len(line) <= LONGEST:
                self._clean[line] = True
        return True

    def _value(self, name: str, value: str) -> str:
        """What the name tells counts, too."""
        if self._masking is None:
            return value
        line = self._masking.line(f"{name}: {value}")
        begins = line.startswith(f"{name}: ")
        return line[len(name) + 2 :] if begins else self._masking.line(value)
