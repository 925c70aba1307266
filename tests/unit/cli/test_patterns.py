"""`patterns mine` reads lines and tells the pattern of each; it needs no proxy and no store."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = ["oak", "pine", "ash", "elm", "fir", "yew", "palm", "rose"]
TEXTS = [f"Sum up the dialogue in one sentence.\n\nAnn: {word}, {word}!" for word in WORDS]


def mine(*arguments: str, given: str | bytes = "") -> subprocess.CompletedProcess[str]:
    """Without a home that could be made."""
    command = [sys.executable, "-m", "llmproxy_core.cli", "patterns", "mine", *arguments]
    data = given.encode() if isinstance(given, str) else given
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LLMPROXY_CONFIG": "/nonexistent"}
    done = subprocess.run(command, input=data, capture_output=True, env=bare, timeout=60)
    told = (done.stdout.decode(), done.stderr.decode())
    return subprocess.CompletedProcess(command, done.returncode, *told)


def lines(texts: list[str]) -> str:
    return "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts))


def test_mine_prints_an_object_for_each_line_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text(lines([*TEXTS, "Why is the sky blue?"]))
    rows = [json.loads(line) for line in mine("--json", str(file)).stdout.splitlines()]
    assert [row["id"] for row in rows] == list(range(9))
    assert len({row["pattern"] for row in rows[:8]}) == 1
    assert rows[0]["type"] == "summarization"
    assert rows[8]["pattern"].startswith("once:")


def test_mine_reads_standard_input_and_prints_for_people() -> None:
    done = mine("-", given=lines([f"\x1b[2J{text}" for text in TEXTS]))
    assert "Sum up the dialogue in one sentence" in done.stdout
    assert "\x1b" not in done.stdout


def test_mine_keeps_ids_as_they_are() -> None:
    ids = [7, 7, "7", None, {"a": [1.5]}]
    given = "".join(
        json.dumps({"id": id, "text": text}) + "\n" for id, text in zip(ids, TEXTS[:5], strict=True)
    )
    rows = [json.loads(line) for line in mine("-", "--json", given=given).stdout.splitlines()]
    assert [row["id"] for row in rows] == ids


def test_mine_reads_what_is_gzipped(tmp_path: Path) -> None:
    packed = gzip.compress(lines(TEXTS).encode())
    file = tmp_path / "prompts.jsonl.gz"
    file.write_bytes(packed)
    told = [json.loads(line) for line in mine(str(file), "--json").stdout.splitlines()]
    piped = [json.loads(line) for line in mine("-", "--json", given=packed).stdout.splitlines()]
    assert [row["id"] for row in told] == [row["id"] for row in piped] == list(range(8))
    assert len({row["pattern"] for row in told}) == 1


def test_mine_prints_a_table_for_people() -> None:
    heading, *rows = mine("-", given=lines(TEXTS)).stdout.splitlines()
    assert heading.split() == ["id", "pattern", "type", "name"]
    assert len({row.index("summarization") for row in rows}) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (b'{"id": 2}', 'a string "text"'),
        (b'{"text": "a"}', 'an "id"'),
        (b'{"id": 2, "text": 3}', 'a string "text"'),
        (b"[]", "an object"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": 2, "text": "\xff"}', "not UTF-8"),
    ],
)
def test_mine_says_which_line_is_wrong(wrong: bytes, said: str) -> None:
    done = mine("-", "--json", given=lines(TEXTS).encode() + wrong + b"\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "standard input, line 9: " in done.stderr
    assert said in done.stderr


def test_mine_says_where_a_gzipped_file_ends_too_early(tmp_path: Path) -> None:
    file = tmp_path / "cut.gz"
    file.write_bytes(gzip.compress(lines(TEXTS * 50).encode())[:300])
    done = mine(str(file))
    assert done.returncode == 1
    assert "cut.gz, after line " in done.stderr


def test_mine_says_which_file_is_missing() -> None:
    done = mine("nowhere.jsonl")
    assert done.returncode == 1
    assert "nowhere.jsonl" in done.stderr
