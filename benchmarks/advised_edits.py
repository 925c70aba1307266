"""How many instructions are refused, and how many exemplars are not shown: harmless ones, attacks.

    LLMPROXY_CORPORA=… python -m benchmarks.advised_edits

Instructions: sentences of recorded system prompts, as if the advisor proposed each for a pattern that
does not have it. Exemplars: recorded texts of users. Attacks: those of the guard corpus, as if an
advisor that was taken over proposed them word for word.
"""

import gzip
import json
import re
import sys
import time
from collections import Counter

from llmproxy_core.enhancements import Exemplar
from llmproxy_core.enhancements.advised.safety import fault
from llmproxy_core.enhancements.advised.screening import steers
from tests.unit.enhancements.made import failing
from tests.unit.providers import corpus

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
SHORTEST, LONGEST = 20, 500
ATTACKS = corpus.FOLDER.parent / "guard" / "validation.jsonl.gz"
MOST = 2000
"""Characters of a text that the advisor may propose."""
NO_ORDERS = frozenset({"pii", "secret", "secrets"})
QUOTED = re.compile(r"'.*'|: .*")


def texts() -> tuple[list[str], list[str]]:
    """Sentences of system prompts, and what users said."""
    sentences, users = set[str](), set[str]()
    for one in corpus.readable():
        request, _ = corpus.request_of(one)
        system = list(request.system)
        for message in request.messages:
            if message.role == "system":
                system += message.parts
            elif message.role == "user":
                users |= {part.text for part in message.parts if part.kind == "text" and part.text}
        for part in system:
            pieces = (piece.strip() for piece in SENTENCE.split(part.text) if part.kind == "text")
            sentences |= {piece for piece in pieces if SHORTEST <= len(piece) <= LONGEST}
    return sorted(sentences), sorted(users)


def attacks() -> list[str]:
    with gzip.open(ATTACKS, "rt", encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    bad = (one for one in told if one["label"] == 1 and one["family"] not in NO_ORDERS)
    return [one["text"] for one in bad if len(one["text"]) <= MOST]


def main() -> None:
    if not corpus.FOLDER.is_dir():
        sys.exit(f"no recorded exchanges at {corpus.FOLDER}; LLMPROXY_CORPORA names another folder")
    sentences, users = texts()
    found, began = failing(), time.process_time()
    told = Counter[str]()
    for text in sentences:
        why = fault([{"op": "append_system", "text": text}], found)
        told[QUOTED.sub("", why) if why else "taken"] += 1
    took = (time.process_time() - began) / len(sentences)
    print(f"{len(sentences)} instructions, {took * 1000:.1f} ms each:")
    for why, n in told.most_common():
        print(f"  {n} {why}")
    hidden = sum(steers(Exemplar("1", user=text)) for text in users)
    print(f"{hidden} of {len(users)} texts of users are not shown")
    bad = attacks()
    refused = sum(fault([{"op": "append_system", "text": one}], found) is not None for one in bad)
    hidden = sum(steers(Exemplar("1", user=text)) for text in bad)
    print(f"{len(bad)} attacks: {refused} refused as edits, {hidden} not shown as exemplars")


if __name__ == "__main__":
    main()
