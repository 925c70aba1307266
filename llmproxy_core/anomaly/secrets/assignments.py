"""Secrets told by the name before them alone: `api_key = ...`, `password: ...`.

What has a look of its own is found by `rules.toml`; here anything may be the value, so it has to be
judged: is it random, or as strange as a password, and is the name that of a secret at all?
"""

import re

from llmproxy_core.anomaly.secrets.lookalikes import (
    entropy,
    is_placeholder,
    is_reference,
    looks_like_words,
)
from llmproxy_core.anomaly.secrets.rule import FIRM_SIGN, SIGN, Rule

NAMES = "access|auth|api|credential|creds|key|passw(?:or)?d|secret|token"
GENERIC = Rule(
    id="generic-api-key",
    what="a secret",
    pattern=re.compile(
        rf"(?P<name>(?:{NAMES}){FIRM_SIGN})"
        r"(?P<value>[A-Za-z0-9/+][\w.=+/-]{9,149}+(?=[\x60'\"\s;,)\]}<&\\]|$)"
        r"|(?<=[\x60'\"])[^\s\x60'\"\\<>{}]{16,150}+(?=[\x60'\"]))".encode(),
        re.IGNORECASE,
    ),
    trigger=rf"(?:{NAMES}){SIGN}[^\s\x60'\"\\<>{{}}]{{10}}".encode(),
    any_case=True,
    words=(b"access", b"auth", b"api", b"cred", b"key", b"passw", b"secret", b"token"),
    entropy=3.5,
    before=96,
    after=192,
    kind="generic",
)
LOGIN_WORD = r"(?:pass(?:word|wd|wort|phrase|code|w)|pwd|(?<![a-z])pass|_pw)"
SAYS = r"[\w.-]{0,20}+(?:['\"\s\\\])]{0,5}+(?:\|\||[:=>,]{1,3}+)|\s{1,2}is\b)[\x60'\"\s\\(]{0,6}+"
PASSWORD = Rule(
    id="password",
    what="a password",
    pattern=re.compile(
        rf"(?P<name>{LOGIN_WORD}{SAYS})(?P<value>[^\s\x60'\"\\<>,;]{{4,128}}+)".encode(),
        re.IGNORECASE,
    ),
    trigger=(
        rb"(?:pass(?:word|wd|wort|phrase|code|w)|pwd|pass|_pw)[\w.-]{0,20}"
        rb"(?:['\"\s\\\])]{0,5}(?:\|\||[:=>,]{1,3})|\s{1,2}is\b)[\x60'\"\s\\(]{0,6}"
        rb"[^\s\x60'\"\\<>,;]{4}"
    ),
    any_case=True,
    words=(b"pass", b"pwd", b"_pw"),
    before=96,
    after=192,
    kind="password",
)

HARMLESS_NAME = re.compile(
    rb"access(?:ibility|or)|access[_.-]?(?:id|level|mode|type|time)|random[_.-]?access|rapid|capital"
    rb"|api[_.-]?(?:id|name|version|base|url|path|type|group|host|server|doc)|[\w-]*api[\w-]*:jar:"
    rb"|author(?!i[sz]ation)|authentication-results|x-ms-exchange|credentials?[_.-]?id|withcredentials"
    rb"|(?:bucket|foreign|hot|idx|natural|primary|pub(?:lic)?|schema|sequence|cache|partition|sort"
    rb"|range|routing|idempotency|dedup\w*|row|hash|group|object|index|lookup|translation|i18n|trans"
    rb"|config|setting|state|storage|map|dict|json|data|column|field|parent|child|unique|composite"
    rb"|surrogate|registry|answer|session_storage|feature|event|metric|label|tag|widget|react|query"
    rb"|search|item|topic|message|sec-websocket)[_.-]?keys?\b"
    rb"|turkey|key[_.-]?(?:alias|board|code|frame|id|length|mesh|name|pair|press(?:ed)?|ring|selector"
    rb"|signature|size|stone|store|storetype|word|up|down|left|right|type|event|value|path|file|usage"
    rb"|prefix|error|format|field|func|fn|bind|map|point|ed|schedule|version|ops|s_?per)"
    rb"|key[_.-]?vault|(?:key(?:store|tab)|token|key)[_.-]?(?:file|path|uri|url|arn)|issuerkeyhash"
    rb"|monkey|donkey|hockey|whiskey|jockey|keying|keyof|secret[_.-]?(?:length|name|size|arn|id|ref|path)"
    rb"|usersecretsid|csrf|xsrf|(?:api|credentials|token)[_.-]?(?:endpoint|ur[il])|public[_.-]?token"
    rb"|token(?:iz|s[_.-]?(?:used|per|count|in|out))|token[_.-]?(?:count|type|usage|limit|id|name|url"
    rb"|address|expir\w*|budget)|(?:page|next|sync|continuation|max|min|total|input|output|prompt"
    rb"|completion|special|pad|eos|bos|mask|end|start|stop|cancellation|cancel|num|n)[_.-]?tokens?\b"
    rb"|pass(?:word|wd)?[_.-]?(?:hash(?:er|ing)?|reset|policy|field|input|label|length|min|max|file"
    rb"|variable|prompt|hint|strength|manager|less|confirm\w*|change\w*|url|valid\w*|regex|type|id"
    rb"|encoder|store|authentication|protected|required|recovery|expir\w*)|bypass|compass|surpass"
    rb"|passenger|passive|passion|passing|passes|passport|encompass|pass(?:ed)?[_.-]?(?:rate|count|through)",
    re.IGNORECASE,
)
HEX = re.compile(
    rb"[0-9a-f]{32,}|[0-9A-F]{32,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
LEAST_HEX = 3.0
TYPE = re.compile(
    rb"^(?:str|string|text|bytes|int|integer|bool|boolean|none|null|nil|true|false|undefined|any|object"
    rb"|optional\w*|required\w*|secret\w*|passwor[dt]\w*|kennwort|contrase\w*|wachtwoord|senha|heslo|lozinka|salasana|parola|passphrase|passwd|pass|token|varchar\w*|char\w*|test\w*|admin"
    rb"|root|user\w*|default\w*|prompt|value|hidden|invalid\w*|incorrect|wrong\w*|empty|missing|auth\w*"
    rb"|request\w*|response\w*|input\w*|plain\w*|hash\w*|bcrypt\w*|argon2\w*|sha\d*|md5|utf-?8|base64"
    rb"|login|field|form|label|type|min\w*|max\w*|length|must|should|can|the|your|not|does|please"
    rb"|enter|reset|forgot|change\w*|confirm\w*|verify|policy|file|env|var|sha256\w*|x+|\*+|-+|\.+|\?+)"
    rb"[.!?)]*$",
    re.IGNORECASE,
)
LISTED = re.compile(rb"(?:^|[^_a-z])pass['\"]?\s*,", re.IGNORECASE)
"""A word of a list, not a name."""
NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
LONGEST_NAME = 40
QUOTES = (b'"', b"'", b"`")
SETTING = re.compile(
    rb"[ \t]*(?:export |set |env |- )?[\w.-]{0,40}(?:password|passwd|passphrase|pwd|pass)[ \t]*[=:][ \t]*",
    re.IGNORECASE,
)
LONGEST_LINE = 80
LEAST_PLAIN = 6
"""Characters of a password that may be a word: people choose words."""
IDENTIFIER = re.compile(rb"^[A-Za-z_][A-Za-z_]*\d?(?:[.\-:][A-Za-z_]\w*)*$")
CALL = re.compile(rb"[(\[]")
NO_VALUE = re.compile(rb"[=:>,][^\n]*\n|,\s*$")
"""The name had no value: what follows, on the next line or as the next argument, is another."""


def is_secret(rule: Rule, found: re.Match[bytes], data: bytes) -> bool:
    """Is what GENERIC or PASSWORD matched a secret?"""
    value, name = found["value"], _name(found, data)
    if HARMLESS_NAME.search(name) or is_placeholder(value):
        return False
    quoted = data[found.start("value") - 1 : found.start("value")] in QUOTES
    if not quoted and NO_VALUE.search(name):
        return False
    if rule.kind == "generic":
        return _is_random(rule, value, quoted)
    following = data[found.end() : found.end() + 1]
    plain = (quoted and following in QUOTES) or _is_setting(
        name, data[max(0, found.start("value") - LONGEST_LINE) : found.start("value")], following
    )
    return _is_password(value, name, quoted, plain, following)


def _name(found: re.Match[bytes], data: bytes) -> bytes:
    """All of the name, of which only an end was looked for, up to the value."""
    before = data[max(0, found.start() - LONGEST_NAME) : found.start()]
    return before[len(before.rstrip(NAME)) :] + found["name"]


def _is_random(rule: Rule, value: bytes, quoted: bool) -> bool:
    if is_reference(value) or looks_like_words(value):
        return False
    if HEX.fullmatch(value):
        return entropy(value) >= LEAST_HEX
    if not any(char in b"0123456789" for char in value):
        return len(value) >= 20 and not value.islower() and entropy(value) >= 4
    least = rule.entropy if quoted or len(value) >= 16 else rule.entropy - 0.2
    return entropy(value) >= least


def _is_setting(name: bytes, before: bytes, following: bytes) -> bool:
    """A line of its own, or an element of XML, as configurations have them."""
    if name.endswith(b">") and following == b"<":
        return True
    line = before.rpartition(b"\n")[2]
    return following in (b"", b"\n", b"\r") and bool(SETTING.fullmatch(line))


def _is_password(value: bytes, name: bytes, quoted: bool, plain: bool, following: bytes) -> bool:
    if not quoted:
        value = value.rstrip(b".,:)}]&|")
    if LISTED.search(name):
        return False
    if len(value) < 5 or TYPE.match(value) or is_reference(value) or CALL.search(following):
        return False
    kinds = [
        any(65 <= char <= 90 for char in value),
        any(97 <= char <= 122 for char in value),
        any(48 <= char <= 57 for char in value),
        any(char in b"!@#$%^&*+?~=|" for char in value),
    ]
    if plain and len(value) >= LEAST_PLAIN and value.isalnum() and b"," not in name:
        return b" is" not in name.lower()
    if not quoted and IDENTIFIER.match(value.lstrip(b"!&*-@")):
        return False
    if b" is" in name.lower() and not (kinds[2] and sum(kinds) >= 2):
        return False
    if sum(kinds) >= 2 and (kinds[2] or kinds[3]):
        return not (looks_like_words(value) and not kinds[2] and not kinds[3])
    return len(value) >= 8 and not looks_like_words(value) and (kinds[2] or quoted)
