"""Passwords as files keep them: `htpasswd`'s bcrypt, Argon2, and the SHA-1 of old files.

A file has one `user:hash` a line, what follows a second colon does not count; blank lines and lines
that begin with # are passed over.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from llmproxy_core.errors import ConfigError

PLAIN = "{PLAIN}"
"""Before a password that is no hash: the one of the settings, never one of a file."""
BCRYPT_BYTES = 72
"""What bcrypt looks at, as in Apache: later characters do not count."""
MOST_MEMORY = 2**20
"""KiB that an Argon2 hash may ask for."""
MOST_PASSES = 64
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

type Users = Mapping[str, str]
"""Hashes by user."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to hash. `holds(password, hash)`; may raise ValueError, which is a no."""

    form: re.Pattern[str]
    holds: Callable[[bytes, str], bool]
    weak: bool = False


def _bcrypt(password: bytes, hash: str) -> bool:
    return bcrypt.checkpw(password[:BCRYPT_BYTES], hash.encode())


def _argon2(password: bytes, hash: str) -> bool:
    import argon2  # it takes 25 ms, and most proxies have no use for it

    try:
        return argon2.PasswordHasher().verify(hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _sha1(password: bytes, hash: str) -> bool:
    digest = base64.b64encode(hashlib.sha1(password).digest()).decode()  # noqa: S324  the file's
    return hmac.compare_digest("{SHA}" + digest, hash)


def _plain(password: bytes, kept: str) -> bool:
    return hmac.compare_digest(password, kept.removeprefix(PLAIN).encode())


SCHEMES = (
    Scheme(re.compile(r"\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}"), _bcrypt),
    Scheme(
        re.compile(
            r"\$argon2(?:id|i|d)(?:\$v=\d{1,3})?\$m=(?P<memory>\d{1,10}),t=(?P<passes>\d{1,10}),p=\d{1,3}"
            r"\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{11,256}"
        ),
        _argon2,
    ),
    Scheme(re.compile(r"\{SHA\}[A-Za-z0-9+/]{27}="), _sha1, weak=True),
)
UNREAD = {
    "$apr1$": "MD5",
    "$1$": "MD5",
    "$5$": "SHA-256",
    "$6$": "SHA-512",
    "{SSHA": "salted SHA-1",
}
"""How hashes begin that others make, and what they are called."""


def holds(password: str, hash: str) -> bool:
    """Is this the password? Takes a quarter of a second and, with Argon2, 64 MB: not on a loop."""
    try:
        given = password.encode("utf-8", "surrogateescape")
        if hash.startswith(PLAIN):
            return _plain(given, hash)
        scheme = next((one for one in SCHEMES if one.form.fullmatch(hash)), None)
        return scheme is not None and scheme.holds(given, hash)
    except ValueError:  # half of a character, or what bcrypt does not take
        return False


def weak(users: Users) -> list[str]:
    """Whose hashes can be guessed fast."""
    schemes = [scheme for scheme in SCHEMES if scheme.weak]
    return [user for user, hash in users.items() if any(one.form.match(hash) for one in schemes)]


def read(path: Path) -> dict[str, str]:
    """The users of a file.

    Raises:
        ConfigError: names the file and the line, never the hash; so that no log takes what follows
            for a secret, there is no `passwd:` in it.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8") from None
    users: dict[str, str] = {}
    for where, user, hash in _lines(path, text):
        if user in users:
            raise ConfigError(f"{where}: {user!r} is there twice")
        users[user] = _checked(where, user, hash)
    return users


def _lines(path: Path, text: str) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        line, where = line.strip(), f"{path}, line {number}"
        if not line or line.startswith("#"):
            continue
        user, colon, rest = line.partition(":")
        if not user or not colon:
            raise ConfigError(f"{where}: not a line `user:hash`, as `htpasswd -B` makes it")
        if CONTROL.search(user):
            raise ConfigError(f"{where}: the user's name has control characters")
        yield where, user, rest.partition(":")[0]


def _checked(where: str, user: str, hash: str) -> str:
    advice = f"make it anew with `htpasswd -B FILE {user}`"
    found = next((match for one in SCHEMES if (match := one.form.fullmatch(hash))), None)
    if found is None:
        kinds = (kind for start, kind in UNREAD.items() if hash.startswith(start))
        kind = next(kinds, "cut off, plain text, or a way that is not known")
        raise ConfigError(
            f"{where}: the hash of {user!r} is neither bcrypt nor Argon2 ({kind}): {advice}"
        )
    costs = found.groupdict()
    memory, passes = int(costs.get("memory") or 0), int(costs.get("passes") or 0)
    if memory > MOST_MEMORY or passes > MOST_PASSES:
        raise ConfigError(
            f"{where}: to check the hash of {user!r} takes {memory} KiB and {passes} passes; "
            f"at most {MOST_MEMORY} and {MOST_PASSES}: {advice}"
        )
    return hash
