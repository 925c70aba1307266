"""The labelled texts beside the project, where they are."""

import gzip
import json
from functools import cache

import pytest

from tests.corpora import CORPORA

FOLDER = CORPORA / "guard"
REASON = f"{FOLDER} is not on this machine"


def rows(*sources: str) -> list[dict[str, str | int]]:
    """Texts of these sources, train and validation; skips the test where there are none."""
    if not FOLDER.is_dir():
        pytest.skip(REASON)
    found = []
    for part in ("train", "validation"):
        with gzip.open(FOLDER / f"{part}.jsonl.gz", "rt", encoding="utf-8") as lines:
            found += [row for row in map(json.loads, lines) if row["source"].startswith(sources)]
    return found


@cache
def texts(source: str) -> list[str]:
    """The texts of one source."""
    return [str(row["text"]) for row in rows(source)]
