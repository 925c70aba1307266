"""Whether the arms have as many conversations as were drawn for them.

If not, something takes conversations out of one arm (calls that never end, rows that are lost),
and what is left cannot be compared. The evidence is that of a uniform mixture of shares against the
one that was drawn, good at every moment (Robbins, "Statistical methods related to the law of the
iterated logarithm", Ann. Math. Stat. 41 (1970)).
"""

import math

ALPHA = 0.001
"""How often arms that are as they were drawn are called unbalanced."""


def unbalanced(control: int, variant: int, share: float) -> bool:
    """`share`: of the variant, as drawn."""
    log_e = (
        math.lgamma(control + 1)
        + math.lgamma(variant + 1)
        - math.lgamma(control + variant + 2)
        - variant * math.log(share)
        - control * math.log(1 - share)
    )
    return log_e >= -math.log(ALPHA)
