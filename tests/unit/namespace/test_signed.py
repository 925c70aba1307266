"""Which bodies must not be changed, because the client has signed them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.signed import signed

SIGNATURE = "Credential=AKID/20261122/us-east-1/bedrock/aws4_request, Signature=00ff, "
SIGV4 = f"AWS4-HMAC-SHA256 {SIGNATURE}SignedHeaders=content-type;host;x-amz-date"
SIGV4A = f"AWS4-ECDSA-P256-SHA256 {SIGNATURE}SignedHeaders=host;x-amz-region-set"
PRESIGNED = "/model/m/invoke?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00ff"
UNSIGNED = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")


@pytest.mark.parametrize("value", [SIGV4, SIGV4A, SIGV4.lower()])
def test_requests_signed_for_aws_stay_as_they_are(value: str) -> None:
    assert signed([("Authorization", value)], "/model/m/converse")
    assert signed([("authorization", value), ("X-Amz-Content-SHA256", "00ff")], "/")
    streaming = ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    assert signed([("authorization", value), streaming], "/")


def test_a_presigned_url_signs_the_body() -> None:
    assert signed([], PRESIGNED)
    assert signed([], PRESIGNED.replace("X-Amz-Signature", "x-amz-signature"))


def test_a_signature_without_the_payload_allows_changes() -> None:
    assert not signed([("authorization", SIGV4), UNSIGNED], "/")
    assert not signed([UNSIGNED], PRESIGNED)
    assert not signed([], PRESIGNED + "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD")


def test_a_signature_without_the_payload_may_cover_its_length() -> None:
    longer = SIGV4.replace("host", "content-length;host")
    assert signed([("authorization", longer), UNSIGNED], "/")
    assert signed([UNSIGNED], PRESIGNED + "&X-Amz-SignedHeaders=content-length%3Bhost")


@pytest.mark.parametrize(
    "value",
    [
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host;x-acs-content-sha256,Signature=00",
        "TC3-HMAC-SHA256 Credential=a/2026-11-22/hunyuan/tc3_request, SignedHeaders=host",
        "HMAC-SHA256 Credential=a/20261122/cn-beijing/ark/request, SignedHeaders=host",
        'Signature version="1",keyId="ocid1",headers="date x-content-sha256",signature="00"',
    ],
)
def test_requests_signed_for_other_clouds_stay_as_they_are(value: str) -> None:
    assert signed([("Authorization", value)], "/v1/chat/completions")


@pytest.mark.parametrize(
    "name",
    ["Content-MD5", "Digest", "Content-Digest", "Repr-Digest", "x-amz-checksum-crc32"],
)
def test_a_digest_of_the_body_would_be_wrong(name: str) -> None:
    assert signed([("authorization", "Bearer sk"), (name, "sha-256=:00ff:")], "/")


def test_a_message_signature_counts_if_it_covers_the_body() -> None:
    covering = 'sig1=("@method" "content-digest");keyid="k"'
    assert signed([("Signature-Input", covering), ("Signature", "sig1=:00:")], "/")
    assert signed([("Signature-Input", 'sig1=("content-length")')], "/")
    assert not signed([("Signature-Input", 'sig1=("@method" "@path");keyid="k"')], "/")


@pytest.mark.parametrize(
    "value", ["Bearer sk-test", "Bearer ABSKQmVkcm9jaw==", "Basic dTpw", "", "   "]
)
def test_keys_and_tokens_sign_nothing(value: str) -> None:
    headers = [("Authorization", value), ("x-api-key", "k"), ("content-length", "9")]
    assert not signed(headers, "/v1/messages?beta=true")


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60))), st.text(max_size=80))
def test_no_headers_and_no_path_raise(headers: list[tuple[str, str]], path: str) -> None:
    assert signed(headers, path) in (True, False)
    assert signed([*headers, ("authorization", SIGV4), ("digest", "x")], path)
