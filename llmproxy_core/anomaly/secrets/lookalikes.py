"""What looks like a secret and is none: placeholders, names, words, pieces of blobs.

All work on bytes and are linear in the length of the value.
"""

import base64
import binascii
import math
import re
from collections import Counter

PLACEHOLDER = re.compile(
    rb"example|placeholder|change[-_]?(?:me|it)|replace[-_]?(?:me|this|with)|insert[-_]?(?:your|key)"
    rb"|redacted|your[-_ ]?(?:own|key|api|token|secret|password|access|name|org|client|user|real|pat"
    rb"|db|db_)|_your_|<your|dummy|(?:^|[-_.])fake(?:[-_.]|$)|xxxxx|\*\*\*|\.\.\.|\xe2\x80\xa6"
    rb"|abcdefgh|bcdefghijk|qwertyuiop|0123456789|234567890|987654321"
    rb"|^fp_[0-9a-f]{12}$|deadbeef|cafebabe|lorem|foobar|mypassword|somesecret|notreal|[-_]goes[-_]here|[-_]here$",
    re.IGNORECASE,
)
OURS = re.compile(rb"(?:SECRET|PERSONAL|ADDRESS|EMAIL|PHONE|CARD|IBAN|ID|REDACTED)_[a-z2-7]{10}")
"""What a provider gets in the place of a value, see `redaction.placeholders`."""
KNOWN = re.compile(
    rb"6fe4476ee5a1832882e326b506d14126|eyJzdWIiOiIxMjM0NTY3ODkwIi|sk_test_4eC39HqLyjWDarjtT1zdp7dc"
    rb"|014df517-39d1-4453-b7b3-9930c563627c|33f!!lloppa|hal\+9ooo_da!sY|b2F1dGg6c2VjcmV0"
)
"""Examples of documentations that millions have copied."""
REFERENCE = re.compile(
    rb"^(?:\$\{?\{?|%[A-Za-z_({]|\{\{?|<|\[|@[A-Za-z_]|&[a-z]+;|#\{|=)"
    rb"|(?:os\.|process\.)?env(?:iron)?[.\[(]|getenv|import\.meta|secrets?\.|vars\.|config\.|settings\."
    rb"|self\.|this\.|[()\[\]{}]|::|->|&&|\$\("
)
REPEATED = re.compile(rb"(.)\1{5}|(..)\2{4}|(...)\3{3}", re.DOTALL)
PATH = re.compile(
    rb"^(?:~|\.{1,2})?/(?:[\w.-]+/)*[\w.-]*$|^[A-Za-z]:\\|^[\w-]+\.(?:[\w-]+\.)*"
    rb"(?:com|org|net|io|dev|json|ya?ml|toml|py|[jt]sx?|md|txt|pem|key|crt|p12|jks|env|pub|xml|html?|sh"
    rb"|go|rs|java|rb|php|cpp|cfg|conf|ini|lock|log|local|internal)(?:[:/]\S*)?$"
    rb"|^[a-z]{0,8}\d+\.\d+\.\d+(?:[._+-]|$)"
)
BLOB = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
BLOB_AROUND = 64
"""Bytes of base64 before or after a value that make it a piece of something larger."""
SHORT_BLOB = 24
"""The same, if there are capitals, small letters and digits among them."""

_LETTERS = re.compile(rb"[A-Z]?[a-z]{2,}+|[A-Z]{3,}+")
_PAIRS = (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io "
    "le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho "
    "pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt "
    "po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry "
    "mp fe bl ab gh ty op wo sa ay ex ke ui fr oo ag if ap gr od bo sp rd do uc bu ei ov by "
    "rm ep tt oc fa ef cu rn sc gi da yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go "
    "ht ru ug ds lt pi rc rr eg au ck ew mu br bi pt ak pu rg ib tl ny ki rk ys ob mm fu ph "
    "og ms ye ud mb ip ub oi rl gu dr hr cc tw ft wn nu af hu nn eo vo rv nf xp gn sm fl iz "
    "ok nl my gl aw ju oa eq sy sl ps jo lf nv je nk kn gs dy hy ze ks xt bs ik dd rp sk xi "
    "oe oy ws lv dl rf eu dg wr xa yi nm eb rb tm xc eh tc gy ja hn yp za gg ym sw bj lm cs "
    "ii ix xe oh lk dv lp ax ox uf dm iu sf bt ka yt ek pm ya gt wl rh yl hs ah yc yb hf yw "
    "sd dn ao nb tp df tf hl hb cd fs db rw ux js gb kv py"
)
_COMMON_PAIRS = frozenset(_PAIRS.split())


LONG, RANDOM = 40, 3.9
"""Bytes and bits a byte of what may have zeros in it: they are `AAAA` in base64."""


def entropy(value: bytes) -> float:
    """Shannon's, in bits a byte."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0


def is_placeholder(value: bytes) -> bool:
    """Something that stands for a secret: `xxxx`, `YOUR_KEY`, `...EXAMPLE`, one letter all over."""
    if PLACEHOLDER.search(value) or KNOWN.search(value) or OURS.fullmatch(value):
        return True
    return bool(REPEATED.search(value)) and not (len(value) >= LONG and entropy(value) >= RANDOM)


def is_reference(value: bytes) -> bool:
    """Where the secret is to be found, not the secret: `$TOKEN`, `os.environ[...]`, a path."""
    return bool(REFERENCE.search(value) or PATH.match(value))


def looks_like_words(value: bytes) -> bool:
    """Is more than half of it words, as in names in code? Told by which letters stand together."""
    worded = sum(map(len, filter(_is_word, _LETTERS.findall(value))))
    return worded > 0.55 * len(value)


def _is_word(letters: bytes) -> bool:
    text = letters.lower().decode()
    odd = sum(text[at : at + 2] not in _COMMON_PAIRS for at in range(len(text) - 1))
    return odd <= (len(text) >= 6)


def in_blob(data: bytes, start: int, end: int) -> bool:
    """Is it a piece of base64, of either alphabet: a signature, an image, an embedding?"""
    before, after = data[max(0, start - BLOB_AROUND) : start], data[end : end + BLOB_AROUND]
    left, right = _left(before, BLOB), _left(after[::-1], BLOB)
    if any(len(run) >= SHORT_BLOB and _mixed(run) for run in (left, right)):
        return True
    runs = (_left(before, BLOB + b"-_"), _left(after[::-1], BLOB + b"-_"))
    return any(len(run) >= BLOB_AROUND for run in runs)


def _left(before: bytes, of: bytes) -> bytes:
    return before[len(before.rstrip(of)) :]


def is_login(value: bytes) -> bool:
    """Is it the base64 of `name:password`?"""
    try:
        text = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    name, colon, password = text.partition(b":")
    return bool(colon and password) and name.isascii() and text.decode("latin-1").isprintable()


def _mixed(run: bytes) -> bool:
    return run.upper() != run and run.lower() != run and any(char in b"0123456789" for char in run)
