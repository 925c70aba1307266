"""What the values of an operation may be: see `operations`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field

from llmproxy_core.sections.namespaces import Glob

PARAMETERS = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "choice_count",
    "reasoning_effort",
)
"""By OpenTelemetry's names (`gen_ai.request.…`), whatever a wire format calls them."""
OTEL = "gen_ai.request."
WHOLE_PROMPTS = ("/messages", "/contents", "/input", "/prompt")
OTHERS = {"choice.count": "choice_count", "reasoning.level": "reasoning_effort"}
NUMBERS: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
}
"""Parameters that are numbers, and between which."""
WHOLE: Mapping[str, tuple[int, int]] = {
    "max_tokens": (1, 2**31 - 1),
    "top_k": (0, 2**31 - 1),
    "seed": (-(2**63), 2**63 - 1),
    "choice_count": (1, 128),
}
"""Those that are whole numbers."""
LONGEST = 100_000
"""Characters of a text."""
LARGEST_VALUE = 1 << 20
"""Bytes of the JSON of a value."""
LARGEST = 1 << 20
"""Bytes that a compiled pattern may take."""
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
VALUE = re.compile(r"(?:(?!\s)[\x20-\x7e\t]{1,4000}(?<!\s))?")
MODEL = re.compile(r"(?!\.|.*/\.)[\w.:/@+-]{1,512}", re.ASCII)
TOOL = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)
KEPT_HEADERS = frozenset(
    {
        *("authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key"),
        *(
            "cookie",
            "host",
            "connection",
            "keep-alive",
            "content-length",
            "content-encoding",
            "content-type",
        ),
        *("transfer-encoding", "te", "trailer", "upgrade", "expect", "accept-encoding"),
        *("signature", "signature-input", "digest", "content-digest", "content-md5"),
    }
)
"""What says who calls, or how the body is to be read."""
KEPT_PREFIXES = ("x-amz-", "sec-", "proxy-", "x-llmproxy-")


def _text(value: str) -> str:
    if not 0 < len(value) <= LONGEST or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError(f"a text of 1 to {LONGEST} characters")
    return value


def _parameter(value: str) -> str:
    if value.startswith("/"):
        return _pointer(value)
    name = value.removeprefix(OTEL)
    name = OTHERS.get(name, name)
    if name not in PARAMETERS:
        known = ", ".join(PARAMETERS)
        raise ValueError(f"one of {known}, or a JSON pointer such as /metadata/team")
    return name


def _pointer(value: str) -> str:
    if len(value) > 1000 or len(value.split("/")) > 33 or re.search(r"~(?![01])", value):
        raise ValueError("a JSON pointer (RFC 6901) of 32 steps at most")
    if value in ("/", "/model", *WHOLE_PROMPTS) or (value + "/").startswith("/stream/"):
        raise ValueError(
            "a pointer to a value; `stream` is the program's own, `messages` and the like are "
            'needed, and of the model see op = "model"'
        )
    return value


def bound_fault(parameter: str, value: object) -> str | None:
    """What a bound of a parameter must be, where it is not; None: it is, or nobody knows."""
    if parameter in ("stop_sequences", "reasoning_effort"):
        return f"a parameter that is a number, not {parameter}"
    bounds = WHOLE.get(parameter) or NUMBERS.get(parameter)
    if bounds is None:
        return None
    allowed = int if parameter in WHOLE else int | float
    if isinstance(value, bool) or not isinstance(value, allowed):
        return f"a {'whole ' if parameter in WHOLE else ''}number for {parameter}"
    low, high = bounds
    return None if low <= value <= high else f"{parameter} from {low:,} to {high:,}"


def value_fault(parameter: str, value: object) -> str | None:
    """As `bound_fault`, of what it is set to."""
    if parameter == "stop_sequences":
        told = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
        return None if told else "a list of texts for stop_sequences"
    if parameter == "reasoning_effort":
        return None if isinstance(value, str) and value else "a word for reasoning_effort"
    return bound_fault(parameter, value)


def _json(value: Any) -> Any:
    """Raises ValueError: JSON has no such value, or only as `null`."""
    try:
        size = len(orjson.dumps(value))
        finite = orjson.loads(orjson.dumps(value)) == value
    except (orjson.JSONEncodeError, RecursionError):
        size, finite = 0, False
    if not finite or size > LARGEST_VALUE:
        raise ValueError(
            f"what JSON has: no `nan`, no whole number of more than 64 bits, no date, no lone "
            f"surrogate, and {LARGEST_VALUE} bytes at most"
        )
    return value


def _schema(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("type") != "object":
        raise ValueError('a JSON schema with type = "object", as all providers want it')
    return value


def _pattern(value: str) -> str:
    pattern(value)
    return value


def pattern(value: str) -> Any:
    """The compiled pattern, for UTF-8; RE2's language. Raises ValueError in RE2's words."""
    import re2  # only where a pattern is used

    options = re2.Options()
    options.max_mem = LARGEST
    options.log_errors = False
    try:
        return re2.compile(value.encode(), options=options)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0] if error.args else error
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"a pattern of RE2: {words}") from None


def _header(value: str) -> str:
    name = value.lower()
    if not HEADER.fullmatch(value) or name in KEPT_HEADERS or name.startswith(KEPT_PREFIXES):
        raise ValueError(
            "a header's name, other than those of credentials, of how the body is sent, and x-amz-*"
        )
    return value


def _matching(rule: re.Pattern[str], said: str) -> Any:
    def checked(value: str) -> str:
        if not rule.fullmatch(value):
            raise ValueError(said)
        return value

    return AfterValidator(checked)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


type Text = Annotated[str, AfterValidator(_text)]
type Parameter = Annotated[str, AfterValidator(_parameter)]
type Value = Annotated[bool | int | float | str | list[Any] | dict[str, Any], AfterValidator(_json)]
type Number = int | Annotated[float, Field(allow_inf_nan=False)]
type Schema = Annotated[dict[str, Any], AfterValidator(_json)]
type ToolSchema = Annotated[Schema, AfterValidator(_schema)]
type Role = Literal["system", "user", "assistant", "tool"]
type Pattern = Annotated[Text, AfterValidator(_pattern)]
type ModelName = Annotated[str, _matching(MODEL, "a model's name")]
type Names = Annotated[list[Glob], BeforeValidator(_listed), Field(min_length=1)]
type HeaderName = Annotated[str, AfterValidator(_header)]
type HeaderValue = Annotated[str, _matching(VALUE, "printable ASCII, 4000 characters at most")]
type ToolName = Annotated[str, _matching(TOOL, "a tool's name: letters, digits, `_`, `.` and `-`")]

ESCAPED = re.compile(r"\\(?:(\d)|g<(\w+)>|(\\))|\\")


def pieces(replacement: str, compiled: Any) -> list[bytes | int]:
    r"""What to put in a match's place: texts, and numbers of groups. `\1`, `\g<name>`, `\\`.

    Raises ValueError: there is no such group.
    """
    found: list[bytes | int] = []
    done = 0
    named = {_str(name): number for name, number in compiled.groupindex.items()}
    for mark in ESCAPED.finditer(replacement):
        found.append(replacement[done : mark.start()].encode())
        done = mark.end()
        if mark[3]:
            found.append(b"\\")
            continue
        group = int(mark[1]) if mark[1] else named.get(mark[2] or "", -1)
        if not 0 <= group <= compiled.groups:
            raise ValueError(rf"a `replacement` of groups that there are: not {mark[0]!r}")
        found.append(group)
    found.append(replacement[done:].encode())
    return [piece for piece in found if piece != b""]


def _str(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
