"""No secret reaches the disk, in whatever pieces it comes."""

import base64
import json
import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.secrets.detector import Secrets
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.masker import Masker, Secret
from llmproxy_core.masking.pieces import Piece
from llmproxy_core.masking.stream_masking import HELD, StreamMasker
from llmproxy_core.masking.streamed_secrets import StreamedSecrets
from tests.unit.anomaly.secrets.leaky_files import KINDS, leaks
from tests.unit.anomaly.secrets.secret_samples import name, sample
from tests.unit.anomaly.secrets.test_rule import SAMPLED

SECRETS = Secrets()
FIND = StreamedSecrets(SECRETS)
MASKER = Masker(Scrubber(b"k" * 32))
RUN = 12
"""Characters of a secret of which none may be written in a row."""
PUBLIC = frozenset(
    {"slack-webhook-url", "discord-webhook", "microsoft-teams-webhook", "facebook-access-token"}
)
"""Their first part is an address that everybody knows, or a number."""
RULES = [rule for rule in SAMPLED if rule.id not in PUBLIC]


def events(text: str, cuts: Sequence[int], ascii_only: bool = True) -> list[tuple[bytes, Piece]]:
    """The text as events of a stream, cut at these characters."""
    made = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        head = b'data: {"delta": "'
        inner = json.dumps(text[start:end], ensure_ascii=ascii_only)[1:-1].encode(
            "utf-8", "surrogatepass"
        )
        made.append((head + inner + b'", "n": 1}\n\n', Piece(len(head), len(head) + len(inner), 0)))
    return made


def written(stream: list[tuple[bytes, Piece]], known: Sequence[Secret] = ()) -> list[bytes]:
    masker = StreamMasker(FIND, MASKER, known)
    out = [one for data, piece in stream for one in masker.feed(data, [piece])]
    return out + masker.finish()


def text_of(out: list[bytes]) -> str:
    return "".join(json.loads(one[6:])["delta"] for one in out)


def leaked(secret: str, out: str) -> list[str]:
    if "PRIVATE KEY" in secret:  # its edges are no secret
        lines = re.findall(r"[A-Za-z0-9+/=]{24,}", secret)
        return [run for line in lines for run in leaked(line, out)]
    runs = {secret[at : at + RUN] for at in range(len(secret) - RUN + 1)}
    return [run for run in runs if run in out and "\n" not in run]


def cuttings(text: str, rng: random.Random) -> list[list[int]]:
    """Not at all, everywhere, and here and there."""
    everywhere = list(range(1, len(text)))
    return [
        [],
        everywhere,
        *(sorted(rng.sample(everywhere, min(count, len(everywhere)))) for count in (3, 9, 27)),
    ]


@pytest.mark.parametrize("rule", RULES[::2], ids=lambda rule: rule.id)
def test_a_key_is_never_written_however_it_is_cut(rule):
    rng = random.Random(rule.id)
    value, called = sample(rule, rng), name(rule, rng) or "the"
    text = f'Set {called}_key="{value}" and go on\nwith more'
    assert SECRETS.find(Text(text))
    for cuts in cuttings(text, rng):
        out = text_of(written(events(text, cuts)))
        assert not leaked(value, out)
        assert out.startswith("Set ")
        assert out.endswith(" and go on\nwith more")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_people_leak_is_written_however_it_is_cut(kind: str):
    (leak,) = [one for one in leaks(3) if one.name == kind]
    rng = random.Random(kind)
    for cuts in cuttings(leak.text, rng):
        out = text_of(written(events(f"{leak.text}", cuts)))
        assert [leaked(secret, out) for secret in leak.secrets if len(secret) >= RUN] == [
            [] for secret in leak.secrets if len(secret) >= RUN
        ]


@pytest.mark.parametrize("rule", RULES[1::3], ids=lambda rule: rule.id)
def test_what_came_of_a_key_before_the_client_hung_up_is_not_written(rule):
    if rule.kind != "token" or rule.id in ("jwt-base64", "password-hash", "aws-bedrock-short-key"):
        return
    rng = random.Random(rule.id)
    value = sample(rule, rng)
    for size in range(RUN + 4, len(value)):
        text = f"it is {value[:size]}"
        out = text_of(written(events(text, list(range(1, len(text))))))
        assert not leaked(value[: size - 1], out)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_text_without_secrets_is_written_as_it_came(data: st.DataObject):
    words = data.draw(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12)))
    text = " ".join(words)
    cuts = (
        sorted(data.draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=8)))
        if text
        else []
    )
    stream = events(text, [cut for cut in cuts if cut < len(text)], data.draw(st.booleans()))
    if not SECRETS.find(Text(text)) and not FIND(text, True):
        assert written(stream) == [data for data, _ in stream]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_as_many_events_come_out_as_went_in_and_each_is_json(data: st.DataObject):
    key = data.draw(
        st.sampled_from(["AKIAQ4HRNXUVY3T7GZ2M", "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"])
    )
    text = data.draw(st.text(max_size=20)) + f' {key}"' + data.draw(st.text(max_size=20))
    text = text.encode("utf-8", "replace").decode()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=12)))
    stream = events(text, cuts, data.draw(st.booleans()))
    out = written(stream)
    assert len(out) == len(stream)
    assert not leaked(key, text_of(out))


def test_texts_of_several_channels_keep_apart():
    masker = StreamMasker(FIND, MASKER)
    first, second = "a AKIAQ4HRNXUV", "Y3T7GZ2M b"
    out = []
    for channel in (0, 1):
        for part in (first, second):
            data = f'{{"c": {channel}, "d": "{part}"}}'.encode()
            start = data.index(part.encode())
            out += masker.feed(data, [Piece(start, start + len(part), channel)])
    out += masker.finish()
    assert len(out) == 4
    assert b"AKIAQ4" not in b"".join(out)


def test_one_event_may_have_pieces_of_several_texts():
    data = b'{"a": "AKIAQ4HRNXUVY3T7GZ2M", "b": "fine", "c": "AKIAQ4HRNXUVY3T7GZ2N"}'
    pieces = [
        Piece(data.index(text), data.index(text) + len(text), n, last=True)
        for n, text in enumerate([b"AKIAQ4HRNXUVY3T7GZ2M", b"fine", b"AKIAQ4HRNXUVY3T7GZ2N"])
    ]
    (out,) = StreamMasker(FIND, MASKER).feed(data, pieces)
    read = json.loads(out)
    assert read["b"] == "fine"
    assert read["a"].startswith("[secret:aws-access-token:fp_")
    assert read["a"] != read["c"]


def test_events_without_text_pass_at_once_when_nothing_waits():
    masker = StreamMasker(FIND, MASKER)
    assert masker.feed(b": ping\n\n") == [b": ping\n\n"]
    assert masker.feed(b'{"d": "wor"}', [Piece(7, 10, 0)]) == []
    assert masker.feed(b": ping\n\n") == []
    assert masker.finish() == [b'{"d": "wor"}', b": ping\n\n"]


def test_what_waits_is_bounded():
    masker = StreamMasker(FIND, MASKER)
    masker.feed(b'{"d": "wor"}', [Piece(7, 10, 0)])
    held = 0
    for _ in range(20):
        out = masker.feed(b"x" * 100_000)
        held = 0 if out else held + 100_000
        assert held <= HELD + 100_000


def test_a_password_told_before_is_not_written_again_nor_in_base64():
    secret = "q8Zt4wLm!1xC"
    encoded = base64.b64encode(secret.encode()).decode()
    text = f'password = "{secret}" \nThat is {secret} or {encoded} for short.'
    out = text_of(written(events(text, list(range(1, len(text))))))
    assert secret not in out
    assert encoded not in out
    assert out.endswith(" for short.")


def test_a_secret_of_the_request_is_masked_in_the_answer_blanks_and_all():
    known = [Secret("secret:password", "open sesame now")]
    text = "You told me: open sesame now, right?"
    out = text_of(written(events(text, list(range(1, len(text)))), known))
    assert "sesame" not in out
    assert out.endswith(", right?")


def test_a_long_private_key_leaves_nothing_but_its_mark():
    rng = random.Random(9)
    lines = [base64.b64encode(rng.randbytes(48)).decode() for _ in range(50)]
    key = (
        "-----BEGIN RSA PRIVATE KEY-----\n"
        + "\n".join([*lines, "Ab3dEf9hIj="])
        + "\n-----END RSA PRIVATE KEY-----"
    )
    for text in (
        f"see\n{key}\nbye",
        json.dumps({"k": key}),
        json.dumps({"a": json.dumps({"k": key})}),
    ):
        for step in (1, 5, 64, 700):
            out = text_of(written(events(text, list(range(step, len(text), step)))))
            assert not [line for line in [*lines, "Ab3dEf9hIj="] if leaked(line, out)]
            assert out.count("[secret:") == 1
