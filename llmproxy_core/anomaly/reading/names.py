"""Lists of names, written with blanks between them."""


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())
