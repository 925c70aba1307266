"""What is written around a finding, without what is not to be written."""

from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.excerpts import hide
from llmproxy_core.masking.masker import Masker, Secret
from llmproxy_core.records import Found, Judgement

MASKER = Masker(Scrubber(b"k" * 32))
EMAIL = Secret("pii:email", "anna@acme-corp.com")
MARK = MASKER.mark(EMAIL)


def hidden(excerpt: str, evidence: str, *secrets: Secret) -> tuple[str, str]:
    """The excerpt, and the evidence in it."""
    start = excerpt.index(evidence)
    end = start + len(evidence)
    found = Found("pii.email", "pii", 0.9, "medium", "An address.", "user", "text", "", b"",
                  excerpt, start, end)  # fmt: skip
    judgement = Judgement([found])
    hide(judgement, secrets, MASKER)
    [one] = judgement.found
    return one.excerpt, one.excerpt[one.start : one.end]


def test_the_evidence_is_a_mark_and_so_it_is_around_it():
    text = f"é {EMAIL.value} and {EMAIL.value}!"
    assert hidden(text, EMAIL.value, EMAIL) == (f"é {MARK} and {MARK}!", MARK)


def test_evidence_that_is_shown_in_part_is_hidden_whole():
    long = Secret("secret:key", "k3y-" * 100)
    assert hidden("x " + long.value[:160], long.value[:160], long)[1] == MASKER.mark(long)


def test_other_findings_stay_as_they_are():
    assert hidden("bob@acme-corp.com is", "bob@acme-corp.com", EMAIL) == (
        "bob@acme-corp.com is",
        "bob@acme-corp.com",
    )
