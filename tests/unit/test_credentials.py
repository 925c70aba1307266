import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.credentials import Scrubber
from llmproxy_core.hashing import fingerprint

KEY = b"k" * 32
SECRET = "sk-proj-0123456789abcdefABCDEF"
scrubber = Scrubber(KEY)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "x-api-key",
        "api-key",
        "X-Goog-Api-Key",
        "Cookie",
        "Set-Cookie",
        "Proxy-Authorization",
        "x-amz-security-token",
        "Ocp-Apim-Subscription-Key",
        "x-litellm-api-key",
        "helicone-auth",
        "X_API_KEY",
        "x-openai-key",
        "private-token",
        "x-access-key-id",
        "x-passphrase",
        "x-session",
        "x-bearer",
        "x-user-pat",
    ],
)
def test_a_header_with_a_credential_leaves_a_fingerprint(name):
    value = scrubber.header(name, SECRET)

    assert value == fingerprint(SECRET.encode(), KEY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-ratelimit-remaining-tokens", "100"),
        ("anthropic-ratelimit-input-tokens-limit", "100"),
        ("access-control-allow-credentials", "true"),
        ("idempotency-key", "stainless-python-retry-1"),
        ("x-prompt-cache-key", "conversation-1"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("cache-control", "max-age=0, no-cache"),
        ("link", '<https://example.com/a?page=2>; rel="next"'),
        ("x-request-id", "req_1"),
        ("www-authenticate", "Bearer realm"),
        ("content-type", "application/json"),
        ("x-claude-code-session-id", "6f0c"),
    ],
)
def test_other_headers_stay(name, value):
    assert scrubber.header(name, value) == value


def test_the_scheme_of_an_authorization_stays():
    assert scrubber.header("authorization", f"Bearer {SECRET}").startswith("Bearer fp_")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("referer", "https://example.com/?api_key=", "&x=1"),
        ("forwarded", "for=192.0.2.1;token=", ";proto=https"),
        ("x-original-url", "/v1?key=", ""),
        ("location", "https://user:p@", "@example.com/"),
        ("link", '<https://example.com/?a=1&access_token="', '">'),
        ("x-debug", "said ", " twice"),
        ("host", "user:", "@example.com"),
        ("x-folded", "a\r\n x-api-key: ", ""),
        ("refresh", "0; url=https://example.com?token=", ""),
        ("x-portkey-config", '{"retry": 1, "api_key": "', '"}'),
        ("x-access", "Bearer ", ""),
    ],
)
def test_a_credential_inside_another_header_is_replaced(name, before, after):
    value = scrubber.header(name, before + SECRET + after)

    assert SECRET not in value
    assert value.endswith((after.removeprefix("@"), "[secret]"))


def test_a_key_in_a_websocket_subprotocol_is_replaced():
    value = scrubber.header(
        "Sec-WebSocket-Protocol", f"realtime, openai-insecure-api-key.{SECRET}, v1"
    )

    assert SECRET not in value
    assert value.startswith("realtime, openai-insecure-api-key.fp_")
    assert value.endswith(", v1")


@pytest.mark.parametrize("before", ["token, ", "Authorization, Bearer, ", "a, jwt."])
def test_a_key_that_is_a_subprotocol_of_its_own_is_replaced(before):
    value = scrubber.header("sec-websocket-protocol", f"{before}opensesame-0123, v1")

    assert "opensesame" not in value
    assert value.startswith(f"{before}fp_")
    assert scrubber.header("sec-websocket-protocol", value) == value


@pytest.mark.parametrize("filler", ["a=", "a=b;", '"a":"', '"a": ', "Bearer ", "a?b=", "token,"])
def test_a_header_ten_times_as_long_takes_about_ten_times_as_long(filler):
    def seconds(size: int) -> float:
        started = time.process_time()
        scrubber.header("sec-websocket-protocol", filler * (size // len(filler)))
        return time.process_time() - started

    assert seconds(100_000) < 40 * max(seconds(10_000), 0.002)


@pytest.mark.parametrize("name", ["key", "api_key", "Api-Key", "access_token", "sig", "%6bey"])
def test_a_key_in_the_url_is_replaced_and_the_rest_stays(name):
    path = scrubber.path(f"/v1beta/models/g:x?alt=sse&{name}={SECRET}&&a=%20b")

    assert SECRET not in path
    assert path.startswith(f"/v1beta/models/g:x?alt=sse&{name}=fp_")
    assert path.endswith("&&a=%20b")


@pytest.mark.parametrize(
    "path",
    [
        "/v1?a=1;key={}",
        "/v1?a=1#access_token={}",
        "/v1?x[key]={}",
        "/v1;token={}/chat",
        "/v1/{}/chat",
        "/v1/chat#access_token={}",
        "/v1?key[]={}",
        "/v1?next=%2Fx%3Ftoken%3D{}",
        "/v1?from=https://me:{}@example.com/",
    ],
)
def test_a_key_in_an_odd_place_of_the_url_is_replaced(path):
    assert SECRET not in scrubber.path(path.format(SECRET))


def test_a_key_that_is_a_part_of_the_path_is_a_credential():
    assert scrubber.credential([], f"/v1/{SECRET}/chat/completions") == scrubber.mark(SECRET)


@pytest.mark.parametrize(
    "path",
    [
        "/openai/deployments/xai-grok-4-fast-reasoning-2026/chat/completions?api-version=2024-06-01",
        "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke",
        "/models/hf-internal-testing/tiny-random-2024",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse&pageSize=5",
    ],
)
def test_names_of_models_are_no_keys(path):
    assert scrubber.path(path) == path


@given(st.text(alphabet="abc/?&=%20+key.", max_size=60))
def test_a_url_without_secret_names_is_not_touched(path):
    names = {field.partition("=")[0] for field in path.partition("?")[2].split("&")}
    if not any("key" in name or "%" in name or "+" in name for name in names):
        assert scrubber.path(path) == path


def test_one_key_is_one_credential_however_it_is_sent():
    marks = {
        scrubber.credential([("Authorization", f"Bearer {SECRET}")], "/"),
        scrubber.credential([("x-api-key", SECRET)], "/"),
        scrubber.credential([], f"/v1?key={SECRET}"),
    }

    assert marks == {fingerprint(SECRET.encode(), KEY)}


def test_an_aws_signature_is_grouped_by_its_access_key():
    def signed(signature: str) -> str:
        scope = "AKIAEXAMPLE/20260101/us-east-1/bedrock/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={scope}, Signature={signature}"

    one = scrubber.credential([("authorization", signed("aa"))], "/")

    assert one == scrubber.credential([("authorization", signed("bb"))], "/")
    assert "AKIA" not in scrubber.header("authorization", signed("aa"))


def test_a_call_without_a_key_has_no_credential():
    assert scrubber.credential([("accept", "*/*")], "/v1?alt=sse") is None


def test_fingerprints_of_two_homes_differ():
    assert Scrubber(b"a" * 32).mark(SECRET) != Scrubber(b"b" * 32).mark(SECRET)


@pytest.mark.parametrize(
    "line",
    [
        f"POST https://generativelanguage.googleapis.com/v1beta/models/g:x?alt=sse&key={SECRET}",
        f"    authorization: Bearer {SECRET}",
        f"    \x1b[34mx-api-key\x1b[0m: {SECRET}",
        f"refused: Bearer {SECRET}",
        f"the key {SECRET} is wrong",
        f"http://user:{SECRET}@proxy:3128/",
        f"http://user:p@{SECRET}@proxy:3128/",
        f"bad header b'x-api-key: {SECRET}'",
        f'{{"private-token": "{SECRET}"}}',
        "Bearer " + SECRET + "x" * 10_000 + SECRET,
    ],
)
def test_no_credential_gets_into_a_log_line(line):
    assert SECRET not in scrubber.text(line)


@pytest.mark.parametrize(
    "line",
    [
        "GET https://example.com/v1?%6bey={} HTTP/1.1",
        "GET https://example.com/v1?a=1;x[token]={} HTTP/1.1",
        "    Forwarded: for=192.0.2.1;token={}",
        "refused b'x-api-key: {}'",
        "Invalid header line: b'x-api-key {}'",
        "    \x1b[34mx-secret\x1b[0m: it's {}",
    ],
)
def test_no_password_that_looks_like_a_word_gets_into_a_log_line(line):
    assert "correcthorse" not in scrubber.text(line.format("correcthorse"))


def test_a_harmless_log_line_stays():
    line = "127.0.0.1:5000: POST https://api.openai.com/v1/chat/completions\n << 200 OK 1.2k"

    assert scrubber.text(line) == line


@given(st.text(max_size=300))
def test_any_text_can_be_scrubbed(text):
    assert scrubber.text(scrubber.text(text)) == scrubber.text(text)


@pytest.mark.parametrize("filler", ["a", "?a=", "a: ", "sk-", "://", "://a", "Bearer ", "a\n", " "])
def test_ten_times_the_line_takes_about_ten_times_as_long(filler):
    def seconds(size: int) -> float:
        started = time.process_time()
        scrubber.text(filler * (size // len(filler)))
        return time.process_time() - started

    assert seconds(1_000_000) < 40 * max(seconds(100_000), 0.002)
