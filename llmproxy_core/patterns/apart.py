"""A consolidation in a process of its own: a miner's state on stdin, what comes of it on stdout.

    python -m llmproxy_core.patterns.apart

As JSON: `{"miner": Miner.to_json(), "structures": {ID: [tools, tool_results, schema]}}` asks, and
`{"miner": ..., "events": [[change, pattern, other]], "described": {ID: [pieces, type, confidence]}}`
answers.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

import orjson

from llmproxy_core.patterns.miner import Miner
from llmproxy_core.patterns.types import Structure, type_of

NICE = 15


def consolidated(state: Mapping[str, Any], structures: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError for the state of another version."""
    miner = Miner.from_json(dict(state))
    done = miner.consolidate()
    described = {}
    for one in miner.current():
        if one.examples:  # else it stays what it was
            found = type_of(list(one.examples), Structure(*structures.get(one.id, ())))
            described[one.id] = [one.pieces(), found.type, found.confidence]
    return {
        "miner": miner.to_json(),
        "events": [[one.change, one.pattern, one.other] for one in done.events],
        "described": described,
    }


def main() -> None:
    os.nice(NICE)
    asked = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(orjson.dumps(consolidated(asked["miner"], asked["structures"])))


if __name__ == "__main__":
    main()
