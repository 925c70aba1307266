"""What stands in the place of a secret is a finding of it."""

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.marks import Marks
from llmproxy_core.credentials import Scrubber
from llmproxy_core.redaction.masking import Masker

MASKER = Masker(Scrubber(bytes(32)))
TOKEN = "ghp_" + "a8Kd03LmQz71XvB5nRt29YcWj6HsEf4GuP0o"


def masked(text: str) -> str:
    return MASKER.text(text, SECRETS.find(Text(text)))


def test_a_masked_secret_is_found_as_the_secret_was():
    text = f"the token is {TOKEN}, keep it"
    (was,) = SECRETS.find(Text(text))
    (found,) = Marks().find(Text(masked(text)))
    assert (found.detector, found.family, found.severity) == (was.detector, "secret", was.severity)
    assert masked(text)[found.start : found.end].startswith("[secret:github")
    assert found.said.endswith("it is masked.")


def test_a_mark_is_no_secret_and_stays_as_it_is():
    once = masked(f"the token is {TOKEN}")
    assert SECRETS.find(Text(once)) == []
    assert MASKER.text(once, Marks().find(Text(once))) == once


def test_other_text_in_brackets_is_none():
    assert (
        Marks().find(Text("[secret:x:fp_zz] [other:email:fp_0123456789ab] fp_0123456789ab")) == []
    )


def test_personal_data_that_was_masked_is_found():
    (found,) = Marks().find(Text("write to [pii:email:fp_0123456789ab]"))
    assert isinstance(found, Finding)
    assert (found.detector, found.family) == ("pii.email", "pii")
