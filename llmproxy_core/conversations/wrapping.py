"""What clients put around a prompt by themselves, in tags of their own: cut out in linear time."""

import re
from collections import defaultdict

TAG = re.compile(
    r"<(/?)(system-reminder|environment_context|user_instructions|command-[a-z]{1,20}"
    r"|local-command-[a-z]{1,20}|ide_[a-z_]{1,30}|context|env)(?:\s[^<>]{0,500})?>"
)


def unwrapped(text: str, instead: str = "") -> str:
    """The text without these tags and what stands in them, but with `instead` for each.

    A tag that is not closed stays.
    """
    if "<" not in text:
        return text
    ends: dict[str, list[tuple[int, int]]] = defaultdict(list)
    tags = list(TAG.finditer(text))
    for tag in reversed(tags):
        if tag[1]:
            ends[tag[2]].append((tag.start(), tag.end()))
    kept: list[str] = []
    at = 0
    for tag in tags:
        if tag[1] or tag.start() < at:
            continue
        closing = ends[tag[2]]
        while closing and closing[-1][0] < tag.end():
            closing.pop()
        if closing:
            kept += text[at : tag.start()], instead
            at = closing[-1][1]
    return "".join([*kept, text[at:]])
