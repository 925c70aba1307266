"""Has the client signed the body of its request, or told its digest? Then it must stay as it is.

Signatures that leave the body out (`UNSIGNED-PAYLOAD`) allow changes, unless they cover its length.
Sources: AWS "Create a signed AWS API request" (SigV4, SigV4a, presigned URLs); RFC 9421 and 9530
(`Signature-Input`, `Content-Digest`); RFC 3230 (`Digest`); Alibaba ACS3, Tencent TC3, Azure and
Volcengine HMAC and Oracle's request signatures, which all cover the hash of the body.
"""

from urllib.parse import parse_qsl

from llmproxy_core.model import Headers

AWS = ("aws4-hmac-sha256", "aws4-ecdsa-p256-sha256")
SCHEMES = (*AWS, "acs3-hmac-sha256", "tc3-hmac-sha256", "hmac-sha256", "signature")
"""First words of `Authorization` that sign the body."""
DIGESTS = frozenset(
    {
        "content-md5",
        "digest",
        "content-digest",
        "repr-digest",
        "x-content-sha256",
        "x-ms-content-sha256",
        "x-acs-content-sha256",
    }
)
CHECKSUM = "x-amz-checksum-"
HASH = "x-amz-content-sha256"
UNSIGNED = "UNSIGNED-PAYLOAD"
COVERED = ("content-length", "content-encoding")
"""Headers that change with the body."""


def signed(headers: Headers, path: str) -> bool:
    """Would this request be refused if its body were changed? `path` carries the query."""
    told = {name.lower(): value.strip() for name, value in headers}
    if any(name in DIGESTS or name.startswith(CHECKSUM) for name in told):
        return True
    query = _query(path)
    payload = told.get(HASH) or query.get(HASH)
    if payload is not None and payload != UNSIGNED:
        return True
    authorization = told.get("authorization", "").lower()
    scheme = authorization.partition(" ")[0]
    by_aws = scheme in AWS or "x-amz-signature" in query
    if by_aws and payload == UNSIGNED:
        names = query.get("x-amz-signedheaders", authorization).lower()
        return any(name in names for name in COVERED)
    return by_aws or scheme in SCHEMES or _covered(told)


def _query(path: str) -> dict[str, str]:
    """Parameters that begin with `x-amz-`, names in lower case."""
    query = path.partition("?")[2]
    if "x-amz-" not in query.lower():
        return {}
    return {name.lower(): value for name, value in parse_qsl(query)}


def _covered(told: dict[str, str]) -> bool:
    """A signature over message components (RFC 9421) that change with the body."""
    components = told.get("signature-input", "").lower()
    return any(f'"{name}"' in components for name in (*DIGESTS, *COVERED))
