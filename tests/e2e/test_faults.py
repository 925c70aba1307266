"""We are never the outage: parts of ours are broken on purpose, and the traffic passes."""

import json
import os
import shutil
import ssl
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmproxy_core.hashing import content_hash
from tests.mitm import CHECKOUT, Mitmdump, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"


def post(proxy: Mitmdump, text: str = "hi", **more: object) -> httpx.Response:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": text}], **more}
    headers = {"x-simulate": "chunks=20,delay=10"}
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        return http.post(URL, content=json.dumps(body), headers=headers)


BROKEN = [
    "addons.bridge.recognise",
    "addons.bridge.head",
    "addons.bridge.answer",
    "llmproxy_core.pipeline.Exchange.open",
    "llmproxy_core.pipeline.Exchange.feed",
    "llmproxy_core.pipeline.Exchange.pieces",
    "llmproxy_core.pipeline.Exchange.close",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_fault_of_ours_lets_the_traffic_pass_and_is_told(tmp_path, simulator, broken):
    owner, _, name = broken.rpartition(".")
    script = tmp_path / "saboteur.py"
    script.write_text(
        "import pkgutil\n"
        "def fail(*_, **__): raise RuntimeError('sabotaged')\n"
        f"setattr(pkgutil.resolve_name({owner!r}), {name!r}, fail)\n"
    )
    with Mitmdump(tmp_path, "-s", str(script), simulator=simulator) as proxy:
        mark = uuid.uuid4().hex
        answers = [post(proxy, mark, stream=True) for _ in range(2)]
        fault = wait_for(lambda: next((e for e in proxy.events() if e.kind == "fault"), None))
        proxy.stop()

    forwarded = [seen for seen in simulator.seen if mark.encode() in seen.body]
    for answer, seen in zip(answers, forwarded, strict=True):
        assert answer.status_code == 200
        assert content_hash(answer.content).hex() == seen.answer_hash
        assert answer.headers["x-simulate-request-hash"] == content_hash(seen.body).hex()
    assert "sabotaged" in str(fault.data["error"])
    assert "the traffic passes untouched" in proxy.output
    assert "Addon error" not in proxy.output


def test_a_host_that_cannot_be_judged_is_not_opened(tmp_path, simulator):
    """The one fault that fails closed: what we do not understand stays encrypted."""
    script = tmp_path / "saboteur.py"
    script.write_text(
        "from llmproxy_core.providers.recognise import Recogniser\n"
        "def fail(*_): raise RuntimeError('sabotaged')\n"
        "Recogniser.opens = fail\n"
    )
    theirs = ssl.create_default_context(cafile=simulator.ca_file)
    with (
        Mitmdump(tmp_path, "-s", str(script), simulator=simulator) as proxy,
        httpx.Client(proxy=proxy.url, verify=theirs, timeout=60) as http,
    ):
        assert http.post(URL, json={"model": "gpt-5", "messages": []}).status_code == 200


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    if os.getuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("needs to be allowed to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_no_traffic_and_the_gap_is_counted(tmp_path, small_disk, simulator):
    environment = {"LLMPROXY_HOME": str(small_disk / "home")}
    proxy = Mitmdump(tmp_path, simulator=simulator, environment=environment)
    filler = small_disk / "filler"
    with proxy:
        post(proxy, "before")
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(b"x" * 2**21)
        for _ in range(3):
            assert post(proxy, "during " + "x" * 50_000).status_code == 200
        filler.unlink()
        assert post(proxy, "after").status_code == 200
        gaps = wait_for(lambda: [e.data for e in proxy.events() if e.kind == "gap"])

    texts = [json.loads(call.request)["messages"][0]["content"][:6] for call in proxy.calls()]
    assert texts[0] == "before"
    assert texts[-1] == "after"
    assert sum(int(str(gap["records"])) for gap in gaps) >= 3
    assert sum(int(str(gap["bytes"])) for gap in gaps) >= 150_000


class TestReload:
    @pytest.fixture
    def folder(self, tmp_path):
        shutil.copytree(
            CHECKOUT / "addons",
            tmp_path / "work" / "addons",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        return tmp_path / "work"

    def test_an_edit_in_the_middle_of_an_answer_loses_nothing(self, tmp_path, folder, simulator):
        body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        with Mitmdump(tmp_path, simulator=simulator, cwd=folder) as proxy:
            http = httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60)
            headers = {"x-simulate": "delay=150,chunks=25"}
            with http, http.stream("POST", URL, json=body, headers=headers) as answer:
                chunks = answer.iter_raw()
                seen = next(chunks)
                file = folder / "addons" / "capture.py"
                file.write_text(file.read_text() + "\n# edited\n")
                wait_for(lambda: "Reloaded folder" in proxy.output)
                seen += b"".join(chunks)
            post(proxy, "afterwards")
            first, second = proxy.closed(2)
            kinds = [event.kind for event in proxy.events()]

        assert first.response == seen
        assert first.closed.ending == "complete"
        assert b"afterwards" in second.request
        assert "proxy_stopped" not in kinds

    def test_a_broken_edit_keeps_the_old_code_in_force(self, tmp_path, folder, simulator):
        with Mitmdump(tmp_path, simulator=simulator, cwd=folder) as proxy:
            (folder / "addons" / "capture.py").write_text("this is not Python")
            wait_for(lambda: "capture.py:1" in proxy.output)
            post(proxy, "still recorded")
            assert b"still recorded" in proxy.closed(1)[0].request
            assert proxy.process.poll() is None

    def test_the_worker_is_not_started_again(self, tmp_path, folder, simulator):
        with Mitmdump(tmp_path, simulator=simulator, cwd=folder, worker=True) as proxy:
            children = Path(f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children")
            before = wait_for(children.read_text)
            file = folder / "addons" / "persist.py"
            file.write_text(file.read_text() + "\n# edited\n")
            wait_for(lambda: "Reloaded folder" in proxy.output)
            time.sleep(1)
            assert children.read_text() == before
