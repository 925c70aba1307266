"""Patterns in which `*` stands for any characters."""


def fits(glob: str, text: str) -> bool:
    """Does `text` fit a pattern in which `*` stands for any characters? Linear in both."""
    first, *rest = glob.split("*")
    if not rest:
        return glob == text
    if not text.startswith(first):
        return False
    last = rest.pop()
    at = len(first)
    for part in rest:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last) and len(text) - len(last) >= at
