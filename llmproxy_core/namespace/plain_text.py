"""Names within texts, both ways, for namespaces that ask for it: `plain_text = true`.

A name that the client's own texts have in its sent form already could not be told from ours on the
way back: in texts of this call it stays as it is, in both directions.
"""

from collections.abc import Mapping

from llmproxy_core.namespace.grammar import Node
from llmproxy_core.namespace.mentions import Mentions, Told, speaking
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.whole import Fields

type Edit = tuple[int, int, bytes]


def sent_in_texts(
    body: bytes,
    grammar: Node | None,
    naming: Naming,
    fields: Fields | None = None,
    told: Told | None = None,
) -> list[Edit]:
    """What changes in the texts of a request, whose names `naming` has learnt."""
    changed = naming.changed
    if grammar is None or not changed:
        return []
    back = {sent: name for name, sent in changed.items()}
    out = {n: sent for n, sent in changed.items() if n in naming.clients and speaking(n)}
    mentions = Mentions(out.keys() | back.keys(), [naming.prefix, *out], told)
    found = mentions.found(body, grammar, fields)
    taken = {word for _, _, word in found if word in back}
    if taken:
        naming.left_in_texts |= taken | {back[word] for word in taken}
    return [
        (start, end, out[word])
        for start, end, word in found
        if word in out and word not in naming.left_in_texts
    ]


def restored_in_texts(
    text: bytes, grammar: Node | None, naming: Naming, known: Mapping[bytes, bytes] | None = None
) -> list[Edit]:
    """What changes in texts of the provider. `known`: the client's names, if other than those of
    `naming`."""
    back = client_names(naming) if known is None else known
    if grammar is None or not back:
        return []
    found = Mentions(back.keys(), [naming.prefix]).found(text, grammar)
    return [
        (start, end, back[word])
        for start, end, word in found
        if back[word] not in naming.left_in_texts
    ]


def client_names(naming: Naming) -> dict[bytes, bytes]:
    """From the sent names that texts of an answer may have to the client's."""
    return {s: name for name, s in naming.changed.items() if name not in naming.left_in_texts}
