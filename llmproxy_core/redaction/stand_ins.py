"""What stands for what in one call: values and placeholders, both ways."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from llmproxy_core.redaction.masking import Secret
from llmproxy_core.redaction.occurrences import Occurrence
from llmproxy_core.redaction.placeholders import Placeholders

TRIES = 8
PARTS = re.compile(r"[ ./()-]")


class NoneLeft(Exception):
    """Every placeholder of a value is in the request already."""


class StandIns:
    """`taken`: bytes in which no placeholder may be that is not ours: the body of the request.

    `back`: from placeholders to what they stand for, as texts. A value that is spelled in another
    way has a placeholder of its own, so that each comes back as it was. `found`: what was replaced.
    """

    def __init__(self, placeholders: Placeholders, told: Iterable[Secret], taken: bytes) -> None:
        """`told`: what the provider knows the placeholders of. Raises NoneLeft."""
        self._placeholders = placeholders
        self._taken = taken
        self._sent: dict[str, str] = {}
        self.back: dict[str, str] = {}
        self.found: dict[Secret, None] = {}
        for secret in told:
            self._value(secret)

    def of(self, found: Occurrence, spelled: str) -> str:
        """The placeholder of what was found. Raises NoneLeft."""
        self.found[found.secret] = None
        if found.coded:
            return self._sent.get(spelled) or self._new(found.secret, spelled, coded=True)
        return self._value(found.secret._replace(value=spelled))

    def _value(self, secret: Secret) -> str:
        if (sent := self._sent.get(secret.value)) is not None:
            return sent
        sent = self._new(secret, secret.value)
        for alias, text in _aliases(sent, secret.value):
            if alias not in self.back and alias.encode() not in self._taken:
                self.back[alias] = text
        return sent

    def _new(self, secret: Secret, spelled: str, *, coded: bool = False) -> str:
        for again in range(TRIES):
            if coded:
                made = self._placeholders.coded(spelled, again)
            else:
                made = self._placeholders.of(secret, again)
            if made not in self.back and made.encode() not in self._taken:
                self._sent[spelled], self.back[made] = made, spelled
                return made
        raise NoneLeft


def _aliases(sent: str, value: str) -> Iterator[tuple[str, str]]:
    """How models write it, too: numbers without what parts them, all in parameters of URLs."""
    plain = PARTS.sub("", sent)
    if plain != sent and plain.lstrip("+").isdigit():
        yield plain, PARTS.sub("", value)
    if (coded := quote(sent, safe="")) != sent:
        yield coded, quote(value, safe="", errors="surrogatepass")
