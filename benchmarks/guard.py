"""What the detectors, masking, policies' expressions and baselines cost.

    python -m benchmarks.guard [--folder CORPORA/guard]

Prints MB/s on ordinary text (the benign texts of the corpus, or the sources of the standard
library), ms of CPU for new text of 2 KB and 20 KB, MB/s on texts made to be slow, without hyperscan,
and µs for masking a body and an event of a stream. The best of several rounds, one thread.
"""

import argparse
import gzip
import json
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from llmproxy_core import expressions
from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Detector, Text
from llmproxy_core.anomaly.secrets.detector import Secrets, all_rules
from llmproxy_core.anomaly.secrets.engine import Words
from llmproxy_core.anomaly.unusual import Call, Unusual
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.masker import Masker, secrets_in
from llmproxy_core.masking.pieces import pieces
from llmproxy_core.masking.stream_masking import StreamMasker
from llmproxy_core.masking.streamed_secrets import StreamedSecrets
from tests.corpora import CORPORA

MEGABYTE = 1_000_000
KEY = "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"
SLOW = {
    "aaaa": "a",
    "key=": "key=",
    "token: ...": "token: abcdef12345 ",
    "password=": "password=x1y2z3 ",
    "BEGIN KEY": "-----BEGIN PRIVATE KEY-----",
    "digits": "1234567890 ",
    "phones": "+49 30 901820 ",
    "a@b.c": "jo@acme.test ",
    "brackets": "[",
    "images": "![a](https://x.example/p.png?d=QUJDREVGR0hJSktMTU5P) ",
    "curl $(": "curl -d $(",
    "hidden": "<p style='display:none'>",
    "widthless": "\u200b",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=CORPORA / "guard")
    text = ordinary(parser.parse_args().folder)[: 8 * MEGABYTE]
    started = time.perf_counter()
    for detector in DETECTORS:
        detector.find(Text("the first text pays for what is made once"))
    print(f"first use of all detectors: {time.perf_counter() - started:.2f} s")
    for detector in DETECTORS:
        _speeds(detector, text)
    print(
        f"secrets without hyperscan: {_rate(Secrets(Words(all_rules())), text[:MEGABYTE], 1):.1f} MB/s"
    )
    _masking(text)
    _tool_calls(text)
    _expressions()
    _baselines()


def ordinary(folder: Path) -> str:
    """Texts that nobody labelled as bad."""
    file = folder / "train.jsonl.gz"
    if not file.is_file():
        library = Path(sysconfig.get_path("stdlib"))
        return "\n".join(one.read_text("utf-8", "replace") for one in sorted(library.glob("*.py")))
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        found = [row for row in map(json.loads, lines) if row["label"] == 0]
    return "\n".join(row["text"] for row in found if row["family"] == "benign")


def _speeds(detector: Detector, text: str) -> None:
    print(f"{detector.name}: {_rate(detector, text, 3):.0f} MB/s on {len(text) / MEGABYTE:.0f} MB")
    for size in (2_000, 20_000):
        starts = range(0, len(text) - size, max(size, len(text) // 100))
        costs = sorted(_best(detector, text[at : at + size], 3) for at in starts)
        middle, worst = costs[len(costs) // 2] * 1e3, costs[-1] * 1e3
        print(f"  {size // 1000} KB: {middle:.3f} ms, the slowest of {len(costs)} {worst:.3f} ms")
    for name, unit in SLOW.items():
        rates = [
            _rate(detector, unit * (size // len(unit)), 1) for size in (MEGABYTE // 4, MEGABYTE)
        ]
        print(f"  {name:12} {rates[0]:8.1f} MB/s of 0.25 MB, {rates[1]:8.1f} of 1 MB")


def _rate(detector: Detector, text: str, rounds: int) -> float:
    return len(text) / _best(detector, text, rounds) / MEGABYTE


def _best(detector: Detector, text: str, rounds: int) -> float:
    given = Text(text)
    return min(_cost(lambda: detector.find(given)) for _ in range(rounds))


def _cost(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _masking(text: str) -> None:
    masker = Masker(Scrubber(b"k" * 32))
    said = f"{text[:50_000]} {KEY} {text[50_000:100_000]}"
    body = json.dumps({"messages": [{"role": "user", "content": said}]}).encode()
    found = secrets_in(said, Secrets().find(Text(said)))
    masker.body(body, found)
    cost = min(_cost(lambda: masker.body(body, found)) for _ in range(5))
    print(f"masking {len(found)} secrets in a body of {len(body) // 1000} KB: {cost * 1e3:.2f} ms")
    words = [word + " " for word in text[:20_000].split()]
    events = [
        f"data: {json.dumps({'index': 0, 'delta': {'text': word}})}\n\n".encode() for word in words
    ]
    find = StreamedSecrets(Secrets())
    find("made at the first text", False)
    cost = min(_cost(lambda: _streamed(find, masker, events)) for _ in range(3))
    print(f"masking a stream: {cost / len(events) * 1e6:.0f} µs an event")


def _tool_calls(text: str) -> None:
    """Arguments as agents send them: a command, a long script of commands, a file."""
    command = "cd /srv/app && git status --short | head -20 && pytest -q tests/unit -x"
    for tool, arguments in (
        ("bash", {"command": command}),
        ("bash", {"command": "\n".join([command] * 27)}),
        ("write_file", {"path": "notes.md", "content": text[:2000]}),
        ("python", {"code": text[:2000]}),
    ):
        call = Text(json.dumps(arguments), "assistant", "arguments", tool)
        costs = [
            min(_cost(lambda: one.find(call)) for _ in range(9))  # noqa: B023 - run at once
            for one in DETECTORS
        ]
        told = ", ".join(
            f"{one.name} {cost * 1e3:.3f}" for one, cost in zip(DETECTORS, costs, strict=True)
        )
        print(f"arguments of {tool}, {len(call.text)} bytes: {sum(costs) * 1e3:.3f} ms ({told})")


def _expressions() -> None:
    facts = {"finding.family": "secret", "finding.severity": "high", "provider.name": "openai"}
    for text in (
        'finding.family == "secret" and provider.name != "ollama"',
        'finding.severity >= "high" and provider.name.matches("^open")',
    ):
        expression = expressions.compile(text)
        cost = _cost(lambda: [expression.holds(facts) for _ in range(20_000)])  # noqa: B023
        print(f"{text}: {cost / 20_000 * 1e6:.2f} µs")


def _baselines() -> None:
    unusual, n = Unusual(), 5000
    calls = [
        Call("ns", "agent", "m", 10.0 * i, i // 360 % 24, 1000 + i % 700, 0.01, 900 + i % 90)
        for i in range(n)
    ]
    cost = _cost(lambda: [unusual.judge(call) for call in calls])
    print(f"baselines: {cost / n * 1e6:.0f} µs a call, {len(unusual.dumped())} bytes for one model")


def _streamed(find: StreamedSecrets, masker: Masker, events: list[bytes]) -> None:
    stream = StreamMasker(find, masker)
    for event in events:
        stream.feed(event, pieces(event))
    stream.finish()


if __name__ == "__main__":
    main()
