"""`python -m training.injection --corpus FOLDER`: learn, judge on sources left out, and write."""

import argparse
import sys
from pathlib import Path

from training.injection.card import card
from training.injection.corpus import read, read_wire
from training.injection.evaluation import Head, Material, Outcome, evaluated, model
from training.injection.instances import Habits, Reader
from training.injection.parcel import Learnt, write
from training.injection.validation import validated

ROOT = Path(__file__).resolve().parents[2]
HEADS = (
    Head("user", lambda one: True, Habits(context=2.0, excuse=1.0, sign=20.0)),
    Head(
        "tool",
        lambda one: not one.prompt and one.source != "made: harmless",
        Habits(context=1.0, excuse=2.0, sign=20.0),
        ("llmail", "gauntlet", "ASB", "BIPIA"),
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.injection", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of train.jsonl.gz")
    parser.add_argument("--out", type=Path, default=ROOT, help="root of the checkout to write into")
    given = parser.parse_args()
    reader = Reader()
    material = Material(
        reader, read(given.corpus, "train"), read_wire(given.corpus.parent / "wire")
    )
    outcomes: dict[str, Outcome] = {}
    heads: dict[str, Learnt] = {}
    for head in HEADS:
        outcomes[head.name] = evaluated(material, head, _say)
        _say(f"{head.name}: {outcomes[head.name].mean}")
        heads[head.name] = Learnt.of(
            model(material, head, "", -1), outcomes[head.name], head.habits
        )
    path = given.out / "llmproxy_core/anomaly/wording/model.npz"
    size = write(path, reader, heads)
    _say(f"{path}: {size} bytes")
    checked = validated(given.corpus, path)
    (given.out / "docs/model-card.md").write_text(card(material, outcomes, checked, size), "utf-8")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
