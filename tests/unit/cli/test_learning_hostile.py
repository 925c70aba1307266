"""What people and programs write into names, reasons and files cannot harm a terminal or a command."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from tests.unit.cli.command import ENTRY, Command
from tests.unit.cli.test_learning import CLAMP, call, llmproxy, pattern, suggested, told

__all__ = ["call", "llmproxy", "pattern", "suggested"]
pytestmark = [pytest.mark.system, pytest.mark.usefixtures("pattern", "suggested")]

WIPE = "\x1b[2J\x1b]0;mine\x07\u202e"
NAMES = [
    WIPE,
    "x" * 100_000,
    os.fsdecode(b"\xff\xfe"),
    "%s {0} \\",
    "a\nb",
    "--",
    "Ω" * 300,
    "' or 1=1",
]
COMMANDS = [
    ("patterns", "show"),
    ("patterns", "rename", "classify this ticket"),
    ("patterns", "merge", "mail"),
    ("patterns", "list", "--type"),
    ("patterns", "list", "--ns"),
    ("transform", "show"),
    ("transform", "test"),
    ("transform", "remove"),
    ("transform", "add", "--op", CLAMP),
    ("transform", "add", "x", "--op"),
    ("transform", "add", "x", "--op", CLAMP, "--when"),
    ("transform", "add", "x", "--logic"),
    ("transform", "test", "x", "--flow"),
    ("enhancements", "show"),
    ("enhancements", "ask"),
    ("experiments", "show"),
    ("experiments", "start"),
    ("experiments", "stop"),
    ("feedback", "ffffffff", "down", "--why"),
]  # fmt: skip


def run(llmproxy: Command, *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [*ENTRY, *arguments], env=llmproxy.variables, cwd=llmproxy.home, capture_output=True,
        timeout=60,
    )  # fmt: skip
    return ended.returncode, (ended.stdout + ended.stderr).decode()


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:12])
def test_odd_names_are_answered_in_a_few_harmless_words(llmproxy: Command, name: str) -> None:
    for command in COMMANDS:
        code, said = run(llmproxy, *command, name)
        assert code in (0, 1, 2, 4), (command, said)
        assert "Traceback" not in said, (command, said)
        assert not set("\x1b\x07\u202e") & set(said), (command, said)
        assert len(said) < 5_000, (command, len(said))


def test_reasons_are_shown_without_what_moves_the_cursor(
    llmproxy: Command, call: RequestRow, database: Database
) -> None:
    (suggested,) = told(llmproxy, "enhancements", "list")
    code, said = run(llmproxy, "enhancements", "reject", suggested["id"], "--why", f"too {WIPE}odd")
    assert (code, "rejected" in said) == (0, True), said
    assert run(llmproxy, "feedback", call.id.hex, "down", "--why", f"made {WIPE}up")[0] == 0
    for shown in (
        ("enhancements", "show", suggested["id"]),
        ("patterns", "show", "classify this ticket"),
        ("show", call.id.hex),
        ("audit", "list"),
    ):
        code, said = run(llmproxy, *shown)
        assert code == 0, said
        assert not set("\x1b\x07\u202e") & set(said), shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"logic = [\n{op = 'append_system', text = }\n]", "line 2"),
        (b"logic = [{op = 'append_system', text = '\xff'}]", "not UTF-8"),
        (b'{"logic": 3}', "`logic = [...]`"),
        (b"[" * 100_000, "neither JSON nor TOML"),
        (b"", "`logic = [...]`"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_line(
    llmproxy: Command, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "logic.toml"
    file.write_bytes(content)
    code, told = run(llmproxy, "transform", "add", "x", "--logic", str(file))
    whole = " ".join(told.replace("│", " ").split())
    assert (code, said in whole, "logic.toml" in whole) == (2, True, True), told


def test_every_change_tells_what_it_made_as_json(llmproxy: Command, call: RequestRow) -> None:
    (one,) = told(llmproxy, "enhancements", "list")
    named = told(llmproxy, "patterns", "rename", "classify this ticket", "triage")
    assert (named["name"], named["given"]) == ("triage", True)
    assert told(llmproxy, "feedback", call.id.hex, "up")["feedback"] == "up"
    assert told(llmproxy, "transform", "add", "short", "--op", CLAMP)["active"] is True
    assert told(llmproxy, "transform", "off", "short")["active"] is False
    assert told(llmproxy, "transform", "set", "short", "--order", "7")["order"] == 7
    assert told(llmproxy, "transform", "on", "short")["active"] is True
    assert told(llmproxy, "transform", "remove", "short")["name"] == "short"
    for command, status in (
        ("reject", "rejected"),
        ("reconsider", "candidate"),
        ("approve", "experimenting"),
    ):
        assert told(llmproxy, "enhancements", command, one["id"])["status"] == status
    (running,) = told(llmproxy, "experiments", "list")
    assert told(llmproxy, "experiments", "stop", running["id"])["status"] == "stopped"
    assert told(llmproxy, "patterns", "merge", "mail", "triage")["name"] == "triage"


def test_json_holds_what_was_written_as_it_is(llmproxy: Command) -> None:
    code, said = run(llmproxy, "patterns", "rename", "mail", f"odd {WIPE}", "--json")
    assert code == 0, said
    assert "\x1b" not in said  # JSON escapes it
    assert json.loads(said)["name"].startswith("odd \x1b[2J")
