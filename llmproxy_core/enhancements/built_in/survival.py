"""How long answers would be that were cut off: the Kaplan-Meier estimate (1958, JASA 53:457)."""

from collections.abc import Iterable


def quantile(answers: Iterable[tuple[int, bool]], share: float) -> int | None:
    """The length that `share` of the answers would not exceed; None: too many were cut off before.

    Each answer: its tokens, and whether it was cut off there (its true length is longer). Answers
    cut off at a length count as alive up to it, after those that ended there.
    """
    lengths = sorted(answers, key=lambda one: (one[0], one[1]))
    alive, survival = len(lengths), 1.0
    for tokens, is_cut in lengths:
        if not is_cut:
            survival *= 1 - 1 / alive
            if survival <= 1 - share + 1e-12:
                return tokens
        alive -= 1
    return None
