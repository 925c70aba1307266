"""Credentials leave a fingerprint, never themselves: what is written or logged passes here first.

Replaced are the values of headers that carry credentials, query parameters of URLs that do, user
and password inside URLs, and, for log lines, whatever looks like a provider's key.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

from llmproxy_core.hashing import fingerprint
from llmproxy_core.model import Headers

PROVIDER_KEYS = (
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
)
"""Headers that say by whose key a call is made, the first one wins."""

_SECRET_NAME = re.compile(
    r"(?:^|[-_.])(?:authorization|auth|cookie2?|api[-_]?key|access[-_]?key|secret[-_]?key"
    r"|subscription[-_]?key|credentials?|passwords?|passwd|secret|signature|sig|assertion|jwt|sas"
    r"|security[-_]?token|access[-_]?token|auth[-_]?token|session[-_]?token|id[-_]?token"
    r"|refresh[-_]?token|csrf[-_]?token|xsrf[-_]?token|client[-_]?secret)$"
    r"|^(?:key|token|x-token|code|x-amz-credential)$",
    re.IGNORECASE,
)
_HARMLESS = frozenset({"access-control-allow-credentials"})
_SUBPROTOCOL = "sec-websocket-protocol"
_SUBPROTOCOL_KEY = re.compile(r"((?:api-key|token|jwt|bearer|auth)[.-])[^,\s]+", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/?#@\s]+@")

_LOOKS_LIKE_KEY = re.compile(
    r"\b(?:sk|rk|pk|gsk|xai|pplx|fw|r8|hf|nvapi|csk|tgp_v1|AIza|AKIA|ASIA|ya29|ghp|gho|glpat|xox[abps])"
    r"[-_.]?[A-Za-z0-9_\-.]{12,512}"
    r"|\b(?:[Bb]earer|[Bb]asic)\s{1,4}[A-Za-z0-9_\-.~+/=]{8,4096}"
)
_LOGGED_QUERY = re.compile(r"([?&]([A-Za-z0-9_.\-]{1,64})=)([^&#\s\"']{1,4096})")
_ANSI = r"(?:\x1b\[[0-9;]{0,16}m)?"
_LOGGED_HEADER = re.compile(
    rf"^([ \t]{{0,16}}{_ANSI}([A-Za-z0-9_\-]{{2,64}}){_ANSI}: )(.+)$", re.MULTILINE
)
_SIGV4_KEY = re.compile(r"\bCredential=([^/,\s]+)")


class Scrubber:
    """Replaces credentials by fingerprints made with the home's key (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._secret_names: dict[str, bool] = {}

    def headers(self, headers: Iterable[tuple[str, str]]) -> Headers:
        """The same headers, credentials replaced."""
        return [(name, self.header(name, value)) for name, value in headers]

    def header(self, name: str, value: str) -> str:
        if self._is_secret(name):
            return self._replace_header(value)
        if name.lower() == _SUBPROTOCOL:
            return _SUBPROTOCOL_KEY.sub(lambda found: found[1] + self.mark(found[0]), value)
        return _USERINFO.sub("", value) if "://" in value and "@" in value else value

    def path(self, path: str) -> str:
        """A path with query, the values of secret parameters replaced, all else byte for byte."""
        start = path.find("?")
        if start < 0:
            return path
        fields = path[start + 1 :].split("&")
        return path[: start + 1] + "&".join(map(self._query_field, fields))

    def credential(self, headers: Iterable[tuple[str, str]], path: str) -> str | None:
        """Fingerprint of the key by which a call is made: from its headers, else its URL."""
        found = {}
        for name, value in headers:
            lowered = name.lower()
            if lowered in PROVIDER_KEYS and value:
                found[lowered] = value
        for name in PROVIDER_KEYS:
            if name in found:
                return self.mark(_bare(found[name]))
        for field in path.partition("?")[2].split("&"):
            name, _, value = field.partition("=")
            if value and self._is_secret(unquote_plus(name)):
                return self.mark(unquote_plus(value))
        return None

    def mark(self, secret: str) -> str:
        return fingerprint(secret.encode("utf-8", "surrogateescape"), self._key)

    def text(self, text: str) -> str:
        """A text meant for people (a log line, an error), without anything that looks secret."""
        text = _LOOKS_LIKE_KEY.sub("[secret]", text)
        text = _LOGGED_QUERY.sub(self._logged_field, text)
        text = _LOGGED_HEADER.sub(self._logged_field, text)
        return _USERINFO.sub("", text)

    def _is_secret(self, name: str) -> bool:
        known = self._secret_names.get(name)
        if known is None:
            known = bool(_SECRET_NAME.search(name)) and name.lower() not in _HARMLESS
            if len(self._secret_names) < 4096:  # names come from the network
                self._secret_names[name] = known
        return known

    def _replace_header(self, value: str) -> str:
        scheme, _, rest = value.partition(" ")
        if rest and scheme.lower() in ("bearer", "basic", "digest", "apikey", "token"):
            return f"{scheme} {self.mark(rest.strip())}"
        return self.mark(value) if value else value

    def _query_field(self, field: str) -> str:
        name, equals, value = field.partition("=")
        if value and self._is_secret(unquote_plus(name)):
            return name + equals + self.mark(unquote_plus(value))
        return field

    def _logged_field(self, found: re.Match[str]) -> str:
        return found[1] + "[secret]" if self._is_secret(found[2]) else found[0]


def _bare(value: str) -> str:
    """What stays the same from call to call: no scheme, and of an AWS signature the key's id."""
    if signed := _SIGV4_KEY.search(value):
        return signed[1]
    scheme, _, rest = value.partition(" ")
    return rest.strip() if rest and scheme.lower() == "bearer" else value.strip()
