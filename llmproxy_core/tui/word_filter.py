"""What is typed to leave only some lines of a list: words, each of which must be in it."""

from dataclasses import dataclass

EXAMPLE = "words of it, -without"


@dataclass(frozen=True, slots=True)
class WordFilter:
    """In lower case. A line has all of `wanted` and none of `unwanted`."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    def matches(self, text: str) -> bool:
        text = text.casefold()
        return all(word in text for word in self.wanted) and not any(
            word in text for word in self.unwanted
        )


def parse(text: str) -> WordFilter:
    words = text.casefold().split()
    return WordFilter(
        tuple(word for word in words if not word.startswith("-")),
        tuple(word[1:] for word in words if word.startswith("-") and len(word) > 1),
    )
