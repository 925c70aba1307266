"""Credentials leave a fingerprint, never themselves: what is written or logged passes here first.

Replaced are the values of headers and of parameters of URLs that are named like credentials, user
and password inside URLs, and, whatever its name, what looks like a provider's key. A name in doubt
counts as secret: equal values keep equal fingerprints. Bodies are not looked into.
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

_WORDS = (
    r"(?:authorization|auth|cookie2?|key|token|secret|credentials?|pass(?:word|wd|phrase)|pwd"
    r"|signature|assertion|jwt|bearer)(?:[-_]?id)?"
)
_SECRET_NAME = re.compile(
    rf"{_WORDS}(?:\[?\])?$|(?:^|[-_.\[])(?:sig|sas|dpop|pat|session)(?:\[?\])?$|^code$",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"(?:idempotency|cache|websocket|surrogate|partition|routing|sort|public)[-_]?key$"
    r"|^access-control-allow-credentials$",
    re.IGNORECASE,
)
_SUBPROTOCOL = "sec-websocket-protocol"
_SUBPROTOCOL_KEY = re.compile(
    r"((?:api-key|token|jwt|bearer|auth)(?:[.-]|\s*,\s*))([^,\s]+)", re.IGNORECASE
)
_TOKEN = re.compile(r"(?:bearer|basic)\s+([A-Za-z0-9\-._~+/]{8,}=*)\s*", re.IGNORECASE)
"""A whole value that is a credential by its scheme, whatever the header is called."""
_MEMBER = re.compile(r"(\"([\w.\-]{1,128})\"\s?:\s?\")([^\"]+)")
_URL_LOGIN = re.compile(r"(?<=://)[^/?#&\s]+@")
_USERINFO = re.compile(
    r"(?<=://)[^/?#\s]+@|(?<![^\s\"'(<])[\w.\-%+]{1,128}:[^/?#\s@\"'(<]+@(?=[\w\[])"
)

_KEY = re.compile(
    r"\b(?:(?:sk|rk|pk)-[A-Za-z0-9_\-]{16,}"
    r"|(?:sk|rk|pk|gsk|hf|r8|fw|gh[oprsu]|github_pat|tgp_v1)_[A-Za-z0-9_]{16,}"
    r"|(?:xai|pplx|csk)-[A-Za-z0-9]{32,}|(?:nvapi|glpat|xox[abeprs])-[A-Za-z0-9_\-]{16,}"
    r"|AIza[A-Za-z0-9_\-]{30,}|(?:AKIA|ASIA)[A-Z0-9]{16}|ya29\.[A-Za-z0-9_\-]{16,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?)"
)
"""What nobody but a provider makes; so it is replaced wherever it stands in a head."""
SHORTEST_KEY = 16
_MATRIX_FIELD = re.compile(r"(?<=;)([^=;/?]+)=([^;/?]+)")
_QUERY_FIELD = re.compile(r"(?<![^?&;#])([^=?&;#]+)=([^&;#]+)")
_NAME = r"(?<![\w.\-%\[\]])([\w.\-%\[\]]{1,128})=([\"']?)"
_VALUE = r"([^&#;,\s\"'<>\x1b]+)"
_PARAMETER = re.compile(_NAME + _VALUE)
_PARAMETER_NAME, _PARAMETER_VALUE = re.compile(_NAME), re.compile(_VALUE)

_LOOKS_LIKE_KEY = re.compile(
    r"\b(?:sk|rk|pk|gsk|xai|pplx|fw|r8|hf|nvapi|csk|tgp_v1|AIza|AKIA|ASIA|ya29|gh[oprsu]|github_pat"
    r"|glpat|xox[abeprs]|eyJ)[-_.]?[A-Za-z0-9_\-.]{12,}"
    r"|\b(?:[Bb]earer|[Bb]asic)\s{1,4}[A-Za-z0-9_\-.~+/=]{8,}"
)
_ANSI = r"(?:\x1b\[[0-9;]{0,16}m)?"
_LOGGED_HEADER = re.compile(
    rf"^([ \t]{{0,16}}{_ANSI}([A-Za-z0-9_\-]{{2,64}}){_ANSI}: )(.+)$", re.MULTILINE
)
_LOGGED_NAME = re.compile(rf"(?<![\w\-])[\w\-]{{2,64}}(?={_ANSI}[\"']?\s?:)")
_LOGGED_WORD = re.compile(rf"({_WORDS}[\"']?\s?:\s?[\"']?)([^\r\n\"']+)", re.IGNORECASE)
_MARK = re.compile(r"fp_[0-9a-f]{12}")
_BAD_LINE = re.compile(r"(header line: )[^\n]+")
"""mitmproxy quotes the lines that it cannot read, whatever is in them."""
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
        if found := _TOKEN.fullmatch(value):
            return value.replace(found[1], self.mark(found[1]))
        if name.lower() == _SUBPROTOCOL:
            value = _SUBPROTOCOL_KEY.sub(lambda found: found[1] + self.mark(found[2]), value)
        if "=" in value:
            value = self._parameters(value)
        if '":' in value:
            value = _MEMBER.sub(self._member, value)
        if "\n" in value:
            value = self.text(value)  # a folded line, which may be another header in disguise
        if "@" in value:
            value = _USERINFO.sub("", value)
        return _KEY.sub(self._marked, value) if len(value) > SHORTEST_KEY else value

    def path(self, path: str) -> str:
        """A path with query, what is secret in it replaced, all else byte for byte."""
        start, mark, query = path.partition("#" if "#" in path.partition("?")[0] else "?")
        if ";" in start:
            start = _MATRIX_FIELD.sub(self._query_field, start)
        if mark:
            query = _QUERY_FIELD.sub(self._query_field, query)
            query = _URL_LOGIN.sub("", query) if "@" in query else query
        return _KEY.sub(self._marked, start + mark + query)

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
        for field in _QUERY_FIELD.finditer(path.partition("?")[2]):
            if self._is_secret(unquote_plus(field[1])):
                return self.mark(unquote_plus(field[2]))
        key = _KEY.search(path)
        return self.mark(key[0]) if key else None

    def mark(self, secret: str) -> str:
        """The fingerprint; of a fingerprint itself, which an import may bring along, the same."""
        if secret.startswith("fp_") and _MARK.fullmatch(secret):
            return secret
        return fingerprint(secret.encode("utf-8", "surrogateescape"), self._key)

    def text(self, text: str) -> str:
        """A text meant for people (a log line, an error), without anything that looks secret."""
        if "@" in text:
            text = _USERINFO.sub("", text)
        text = _LOOKS_LIKE_KEY.sub("[secret]", text)
        if "=" in text:
            text = _PARAMETER.sub(self._logged_parameter, text)
        if "-api-key." in text:
            text = _SUBPROTOCOL_KEY.sub(r"\1[secret]", text)
        if "header line: " in text:
            text = _BAD_LINE.sub(r"\1[not shown]", text)
        if any(map(self._is_secret, _LOGGED_NAME.findall(text))):
            text = _LOGGED_HEADER.sub(self._logged_header, text)
            text = _LOGGED_WORD.sub(r"\1[secret]", text)
        return text

    def _is_secret(self, name: str) -> bool:
        known = self._secret_names.get(name)
        if known is None:
            known = bool(_SECRET_NAME.search(name)) and not _HARMLESS.search(name)
            if len(self._secret_names) < 4096 and len(name) < 128:  # names come from the network
                self._secret_names[name] = known
        return known

    def _replace_header(self, value: str) -> str:
        scheme, _, rest = value.partition(" ")
        if rest and scheme.lower() in ("bearer", "basic", "digest", "apikey", "token"):
            return f"{scheme} {self.mark(rest.strip())}"
        return self.mark(value) if value else value

    def _query_field(self, found: re.Match[str]) -> str:
        if self._is_secret(unquote_plus(found[1])):
            return f"{found[1]}={self.mark(unquote_plus(found[2]))}"
        if "%3d" in found[2].lower():  # another URL
            value = unquote_plus(found[2])
            if self._parameters(value) != value:
                return f"{found[1]}={self.mark(value)}"
        return found[0]

    def _parameters(self, text: str) -> str:
        """`name=value` with a secret name, also inside the value of another one."""
        kept, at = list[str](), 0
        for name in _PARAMETER_NAME.finditer(text):
            if name.start() < at or not self._is_secret(unquote_plus(name[1])):
                continue
            if value := _PARAMETER_VALUE.match(text, name.end()):
                kept += text[at : name.end()], self.mark(value[0])
                at = value.end()
        return "".join([*kept, text[at:]])

    def _member(self, found: re.Match[str]) -> str:
        return found[1] + self.mark(found[3]) if self._is_secret(found[2]) else found[0]

    def _marked(self, found: re.Match[str]) -> str:
        return self.mark(found[0])

    def _logged_parameter(self, found: re.Match[str]) -> str:
        name, quote, _ = found.groups()
        return f"{name}={quote}[secret]" if self._is_secret(unquote_plus(name)) else found[0]

    def _logged_header(self, found: re.Match[str]) -> str:
        return found[1] + "[secret]" if self._is_secret(found[2]) else found[0]


def _bare(value: str) -> str:
    """What stays the same from call to call: no scheme, and of an AWS signature the key's id."""
    if signed := _SIGV4_KEY.search(value):
        return signed[1]
    scheme, _, rest = value.partition(" ")
    return rest.strip() if rest and scheme.lower() == "bearer" else value.strip()
