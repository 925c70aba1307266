"""Findings are written without the secrets that stand beside them."""

import pytest

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.credentials import Scrubber
from llmproxy_core.hashing import content_hash
from llmproxy_core.masking.excerpts import as_written
from llmproxy_core.masking.masker import Masker
from llmproxy_core.records import Found

SECRET = "AKIA" + "Z7QX4M2PLBVW6T5R"
MAIL = "jane.roe@example.com"
MASKER = Masker(Scrubber(b"k" * 32))


def written(text: str, evidence: str, *, excerpts: bool = True) -> Found:
    """Of a finding of a mail address: nobody has asked for secrets."""
    at = text.index(evidence)
    found = Finding("pii.email", "pii", 0.9, "medium", at, at + len(evidence), "An address.")
    located = Located.of(found, Text(text), content_hash(text.encode()))
    (one,) = as_written([located], MASKER, excerpts=excerpts)
    return one


@pytest.mark.parametrize(
    "text",
    [
        f"My key is {SECRET}, write to {MAIL}",
        f"Write to {MAIL}, my key is {SECRET}",
        f"{SECRET} {'x ' * 34}{MAIL} {'x ' * 34}{SECRET}",
    ],
)
def test_a_secret_beside_it_is_masked_though_nobody_asked_for_secrets(text: str) -> None:
    one = written(text, MAIL)
    assert not any(SECRET[n : n + 8] in one.excerpt for n in range(len(SECRET) - 7))
    assert one.excerpt[one.start : one.end] == MAIL
    assert "[secret:aws-access-token:fp_" in one.excerpt


def test_evidence_that_holds_a_secret_is_masked() -> None:
    one = written(f"{MAIL} {SECRET} more", f"{MAIL} {SECRET}")
    assert SECRET not in one.excerpt
    assert one.excerpt[one.start : one.end].startswith(f"{MAIL} [secret:")


def test_without_excerpts_nothing_of_the_text_is_written() -> None:
    one = written(f"My key is {SECRET}, write to {MAIL}", MAIL, excerpts=False)
    assert (one.excerpt, one.start, one.end) == ("", 0, 0)


def test_a_tool_that_is_called_by_a_secret_is_told_without_it() -> None:
    text = Text(f"write to {MAIL}", "assistant", "arguments", f"use {SECRET} and go on")
    found = Finding("pii.email", "pii", 0.9, "medium", 9, 9 + len(MAIL), "An address.")
    (one,) = as_written([Located.of(found, text, content_hash(b"x"))], MASKER)
    assert SECRET not in one.tool
    assert one.tool.startswith("use [secret:aws-access-token:fp_")
