"""What stands for what in one call: values and placeholders, both ways."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from llmproxy_core.masking.json_strings import unescaped
from llmproxy_core.masking.masker import Secret
from llmproxy_core.redaction.occurrences import Occurrence, utf8
from llmproxy_core.redaction.placeholders import Placeholders
from llmproxy_core.redaction.sent_values import Verbatim, Within, escaped

TRIES = 8
MANNERS: tuple[type[str], ...] = (str, Verbatim, Within)
"""In which a value stands there; each has placeholders of its own."""
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
        self._sent: dict[tuple[type[str], str], str] = {}
        self.back: dict[str, str] = {}
        self.found: dict[Secret, None] = {}
        for secret in told:
            self._value(secret)

    def of(self, found: Occurrence, spelled: str, depth: int = 0, escapes: int = 0) -> str:
        """The placeholder of what was found. `depth`, `escapes`: see `nesting`; if it can be escaped
        so again, it is the placeholder of what it was before. Raises NoneLeft."""
        self.found[found.secret] = None
        if found.coded:
            return self._sent.get(_key(spelled)) or self._new(found.secret, spelled, coded=True)
        plain = spelled
        for _ in range(escapes):
            plain = unescaped(utf8(plain))
        if escaped(plain, escapes) == utf8(spelled):
            secret = found.secret._replace(value=plain)
            self.found[secret] = None
            return self._value(secret)
        as_it_is = Within(spelled) if depth else Verbatim(spelled)
        return self._value(found.secret._replace(value=as_it_is))

    def _value(self, secret: Secret) -> str:
        if (sent := self._sent.get(_key(secret.value))) is not None:
            return sent
        sent = self._new(secret, secret.value)
        for alias, text in _aliases(sent, secret.value):
            if alias not in self.back and alias.encode() not in self._taken:
                self.back[alias] = text
        return sent

    def _new(self, secret: Secret, spelled: str, *, coded: bool = False) -> str:
        first = TRIES * MANNERS.index(type(spelled))
        for again in range(first, first + TRIES):
            if coded:
                made = self._placeholders.coded(spelled, again)
            else:
                made = self._placeholders.of(secret, again)
            if made not in self.back and made.encode() not in self._taken:
                self._sent[_key(spelled)], self.back[made] = made, spelled
                return made
        raise NoneLeft


def _key(value: str) -> tuple[type[str], str]:
    return type(value), value


def _aliases(sent: str, value: str) -> Iterator[tuple[str, str]]:
    """How models write it, too: numbers without what parts them, all in parameters of URLs."""
    plain = PARTS.sub("", sent)
    if plain != sent and plain.lstrip("+").isdigit():
        yield plain, PARTS.sub("", value)
    if (coded := quote(sent, safe="")) != sent:
        yield coded, quote(value, safe="", errors="surrogatepass")
