"""What a provider refuses: names of tools without the prefix it wants, bodies that were changed."""

import hashlib
from collections.abc import Iterable

from llmproxy_core.model import Headers, header
from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.exchange import Named


def offence(names: Iterable[Named], longest: int, wanted: Controls) -> str | None:
    """The first name that is refused, and why; names are only looked at where a prefix is wanted."""
    if not wanted.required_prefix:
        return None
    for place, name in names:
        if not name.startswith(wanted.required_prefix):
            return f"{place}: {name!r} does not begin with {wanted.required_prefix!r}"
        if len(name) > longest:
            return f"{place}: {name!r} is longer than {longest}"
    return None


def unsigned(headers: Headers, body: bytes) -> bool:
    """Was the body changed after it was signed? AWS has its hash in a header.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    told = header(headers, "x-amz-content-sha256")
    return told is not None and told != hashlib.sha256(body).hexdigest()
