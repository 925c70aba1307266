"""What is written of a call, once it is known whose it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmproxy_core import interception
from llmproxy_core.config import CaptureConfig, Config, NamespaceConfig
from llmproxy_core.home import open_home
from llmproxy_core.interception import Interception
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.pipeline import Exchange, Head
from llmproxy_core.records import Verdict
from tests.mitm import spooled

LAW = NamespaceConfig(name="law", capture="metadata")


def call(provider: str = "openai") -> Exchange:
    head = Head(
        "127.0.0.1:1", None, None, provider, "openai.chat", "https", "api.openai.com", 443,
        "POST", "/v1/chat/completions", "HTTP/1.1", [],
    )  # fmt: skip
    return Exchange(head, 1000)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Interception]:
    monkeypatch.setenv("LLMPROXY_HOME", str(tmp_path / "home"))
    home = open_home()
    told = CaptureConfig(providers={"ollama": "off"})
    running = interception.start(Config(capture=told, namespaces=[LAW]), home)
    yield running
    running.spool.close()


def test_a_call_is_kept_as_its_namespace_says(shared: Interception) -> None:
    one = call()
    shared.settle(one)
    assert one.recorded
    assert one.keeper is None or not one.keeper.skeleton
    one.rule = Namespace("law", capture="metadata")
    shared.settle(one)
    assert one.keeper is not None
    assert one.keeper.skeleton
    one.rule = Namespace("default")
    shared.settle(one)
    assert one.keeper is None or not one.keeper.skeleton


def test_in_doubt_no_more_is_kept_than_all_agree_to(shared: Interception) -> None:
    one = call()
    shared.settle(one, doubt=True)
    assert one.keeper is not None
    assert one.keeper.skeleton
    assert shared.reticent


def test_nothing_is_written_of_a_call_that_is_off(shared: Interception) -> None:
    for provider in ("ollama", "openai"):
        one = call(provider)
        shared.settle(one)
        shared.record(one, Verdict(one.id, 1, provider, None, None))
    shared.spool.close()
    records = [record for record, _ in spooled(shared.home)]
    assert [record.namespace for record in records if isinstance(record, Verdict)] == ["openai"]
