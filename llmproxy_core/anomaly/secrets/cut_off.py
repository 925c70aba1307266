"""Secrets that a text breaks off in: what a client that hung up had of a key is masked as well.

The beginning of a key is known by its prefix, or by the name before it. Wrong guesses cost no more
than the last word of a text that was cut off.
"""

import re
from functools import cache

from llmproxy_core.anomaly.secrets.assignments import HARMLESS_NAME, LOGIN_WORD, NAMES, SAYS, TYPE
from llmproxy_core.anomaly.secrets.lookalikes import entropy, is_reference, looks_like_words
from llmproxy_core.anomaly.secrets.rule import FIRM_SIGN, rules

LONGEST = 4608
"""Bytes before the end in which it must begin."""
LEAST = 4
"""Bytes of a key that are worth masking."""
_TOKEN = rb"[A-Za-z0-9_\-.~+/=%|:@\\]"
_NO_PREFIX = frozenset(
    {b".", b"|", b"%", b"$", b"sk", b"yc", b"sg.", b"dp.", b"t1.", b"-us", b"_mmk", b":aa", b".ey"}
    | {b"a3t", b"q~", b".acc_", b".acc-", b"private key", b"private-lines:", b"pat.", b"sat."}
)
_KEY = re.compile(
    rb"BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----(?P<value>(?:\s|\\+[nrt]|[A-Za-z0-9+/=])+)\Z",
    re.IGNORECASE,
)
_URL = re.compile(rb"://[^\s/:@\"'<>]{0,64}:(?P<value>[^\s/@\"'<>]{3,128})\Z")
_BEARER = re.compile(rb"(?:bearer|basic|token)[ \t]{1,4}(?P<value>[A-Za-z0-9._~+/=-]{8,})\Z", re.I)
_PLAIN = re.compile(rb"[A-Z]?[a-z]+(?:-[A-Z]?[a-z]+)*[.:]?")
_LAST_WORD = re.compile(rb"(?P<value>(?!//)[A-Za-z0-9_\-.+=|@/$,]{12,})\Z")
RANDOM = 2.8
"""Bits a byte of a last word that may be a key without a prefix."""
_OWN_LOOK = re.compile(rb"(?<![A-Za-z0-9])(?P<value>\d{8,10}:AA|eyJ|SG\.|t1\.)[\w.-]{6,}\Z")


def cut_off(data: bytes) -> int | None:
    """Where a secret begins that goes on to the end of a text, and perhaps would have gone on."""
    tail = data[-LONGEST:]
    starts = [
        found.start("value")
        for pattern in _patterns()
        if (found := pattern.search(tail)) and _may_be(found)
    ]
    return min(starts) + len(data) - len(tail) if starts else None


def _may_be(found: re.Match[bytes]) -> bool:
    value = found.string[found.start("value") : found.end()]
    if found.re in (_KEY, _OWN_LOOK):
        return True
    if found.re is _patterns()[0]:
        return not (_PLAIN.fullmatch(value) and looks_like_words(value))
    if value.isdigit() or is_reference(value) or TYPE.match(value):
        return False
    if found.re is _LAST_WORD:
        return any(char in b"0123456789" for char in value) and entropy(value) >= RANDOM
    before = found.string[max(0, found.start() - 40) : found.start("value")]
    return not (looks_like_words(value) or HARMLESS_NAME.search(before))


@cache
def _patterns() -> tuple[re.Pattern[bytes], ...]:
    names = {name for rule in rules() if rule.kind == "assigned" for name in rule.words}
    prefixes = sorted(
        {word for rule in rules() if rule.kind == "token" for word in rule.words} - _NO_PREFIX,
        key=lambda word: (-len(word), word),
    )
    named = b"|".join([*map(re.escape, sorted(names)), NAMES.encode()])
    return (
        re.compile(
            rb"(?:(?<![A-Za-z0-9])|(?=/))(?P<value>(?:%b)%b{%d,})\Z"
            % (b"|".join(map(re.escape, prefixes)), _TOKEN, LEAST),
            re.IGNORECASE,
        ),
        re.compile(
            rb"(?:%b)%b(?P<value>[^\s\"'`]{%d,})\Z" % (named, FIRM_SIGN.encode(), LEAST),
            re.IGNORECASE,
        ),
        re.compile(
            rb"%b%b(?P<value>[^\s\"'`]{%d,})\Z" % (LOGIN_WORD.encode(), SAYS.encode(), LEAST),
            re.IGNORECASE,
        ),
        _KEY,
        _URL,
        _BEARER,
        _OWN_LOOK,
        _LAST_WORD,
    )
