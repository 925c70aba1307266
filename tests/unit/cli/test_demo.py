"""The demo, whole: every part of the project at once, and nothing left of it afterwards."""

import json
import os
import signal
import time

import pytest

from tests.unit.cli.command import Command

pytestmark = pytest.mark.system


@pytest.fixture
def llmproxy(tmp_path):
    return Command(tmp_path, {"TMPDIR": str(tmp_path)})


def left_behind(folder):
    """Demo folders, and processes that have to do with them."""
    folders = [path for path in folder.iterdir() if path.name.startswith("llmproxy-")]
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                found.append(file.read())
        except OSError:
            continue
    return folders, [line for line in found if str(folder / "llmproxy-demo") in line]


def test_every_call_of_the_demo_is_stored_and_nothing_is_left(llmproxy):
    done = llmproxy("demo", "--headless", "--seconds", "4")
    assert done.returncode == 0, done.stderr
    for provider in ("openai", "anthropic", "google", "groq"):
        assert provider in done.stdout
    assert left_behind(llmproxy.home) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_that_is_told_to_end_cleans_up(llmproxy, number):
    process = llmproxy.start("demo", "--headless", "--seconds", "60")
    try:
        _wait_for_proxy(llmproxy.home)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    finally:
        process.kill()
        process.communicate()
    assert left_behind(llmproxy.home) == ([], [])


def _wait_for_proxy(folder):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for file in folder.glob("llmproxy-demo-*/home/proxy.json"):
            if json.loads(file.read_text())["port"]:
                return
        time.sleep(0.1)
    raise AssertionError("the demo's proxy did not start")
