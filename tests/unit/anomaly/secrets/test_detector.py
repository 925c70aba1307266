"""What is found in texts, and what is left alone."""

import base64
import random

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.secrets.detector import Secrets
from tests.unit.anomaly.guard_corpus import rows
from tests.unit.anomaly.secrets.leaky_files import KINDS, leaks
from tests.unit.anomaly.secrets.lookalike_texts import lookalikes

SECRETS = Secrets()
KEY = "AKIAQ4HRNXUVY3T7GZ2M"


def found(text: str) -> list[str]:
    return [text[one.start : one.end] for one in SECRETS.find(Text(text))]


def test_secrets_in_files_that_people_leak_are_found():
    asked = missed = 0
    for leak in (leak for seed in range(8) for leak in leaks(seed)):
        spans = [(one.start, one.end) for one in SECRETS.find(Text(leak.text))]
        for secret in leak.secrets:
            start = leak.text.index(secret)
            asked += 1
            missed += not any(a <= start and b >= start + len(secret) - 1 for a, b in spans)
    assert asked > 8 * len(KINDS)
    assert missed <= 0.02 * asked


def test_lookalikes_are_left_alone():
    texts = [text for seed in range(8) for text in lookalikes(seed)]
    flagged = [text for text in texts if SECRETS.find(Text(text))]
    assert len(flagged) <= 0.01 * len(texts), flagged


def test_secrets_of_the_corpus_are_found():
    planted = rows("generated from gitleaks rules")
    caught = sum(bool(SECRETS.find(Text(str(row["text"])))) for row in planted)
    assert caught / len(planted) >= 0.999


def test_lookalikes_of_the_corpus_are_left_alone():
    texts = rows("gitleaks declared false positives", "secret look-alikes")
    flagged = sum(bool(SECRETS.find(Text(str(row["text"])))) for row in texts)
    assert flagged / len(texts) <= 0.02


def test_a_key_is_found_between_words_of_any_script():
    text = f"Schlüssel für 東京 😀: {KEY}, geheim"
    assert found(text) == [KEY]


def test_a_key_within_base64_is_a_piece_of_it():
    blob = base64.b64encode(random.Random(1).randbytes(300)).decode()
    assert found(f'{{"signature": "{blob}/{KEY}+{blob}"}}') == []


def test_a_key_in_a_path_or_an_address_is_found():
    assert found(f"https://files.acme.test/backup/{KEY}/latest") == [KEY]


def test_of_several_rules_the_first_names_a_secret():
    (one,) = SECRETS.find(Text(f'aws_api_key = "{KEY}"'))
    assert (one.detector, one.severity, one.family) == (
        "secrets.aws-access-token",
        "high",
        "secret",
    )


def test_what_is_said_has_nothing_of_the_secret():
    (one,) = SECRETS.find(Text(f"key {KEY}"))
    assert one.said == "This looks like an AWS access key id."


def test_a_private_key_is_one_secret_from_edge_to_edge():
    lines = "\n".join(base64.b64encode(random.Random(n).randbytes(48)).decode() for n in range(5))
    key = f"-----BEGIN EC PRIVATE KEY-----\n{lines}\n-----END EC PRIVATE KEY-----"
    assert found(f"here\n{key}\nand there") == [key]
    assert found(f"cut\n{key[:200]}") == [key[:200]]
    assert found('if "-----BEGIN PRIVATE KEY-----" in text: raise Leak(text)') == []


def test_a_password_that_is_told_in_a_sentence_is_found():
    assert found("The password is tr0ub4dor&3, don't tell.") == ["tr0ub4dor&3"]
    assert found("The password is required for all of them.") == []


@given(st.text(max_size=400))
def test_nothing_is_raised_and_findings_lie_within_the_text(text: str):
    for one in SECRETS.find(Text(f"password={text} token: {text}")):
        assert 0 <= one.start < one.end <= len(text) * 2 + 20


@given(st.text(st.characters(categories=["Cs", "Lu", "So"]), max_size=20))
def test_lone_surrogates_do_not_move_findings(text: str):
    whole = f"{text} {KEY} {text}"
    assert found(whole) == [KEY]


def test_what_is_said_without_end_is_searched_in_parts_and_nothing_of_it_is_missed():
    secret = "q8Zt4wLm1xCv7bNmQ8Zt4wLm"
    dull = "key=" * 9000
    for ahead in (0, 1, 8100, 8190, 8191, 8192, 8193, 8200, 40_000):
        text = f'{"key=" * ahead} api_key="{secret}" {dull}'
        assert found(text) == [secret]
