"""Which templates a prompt fits, without trying each: by how it begins, ends, or a rare gram."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from llmproxy_core.patterns.anchors import Anchors
from llmproxy_core.patterns.shape import BEGIN, CUT, END, NEAR, codes, shape, shortened
from llmproxy_core.patterns.templates import Runs, evidence, fits

GLANCE = 400
"""Characters of either end that tell most patterns."""


class Index:
    """Templates by their number, in the order given."""

    def __init__(self, templates: Iterable[Runs], hints: Sequence[str] = ()) -> None:
        """`hints`: of each template a word of its wording, or nothing, for `best_in`."""
        self.templates: Sequence[Runs] = list(templates)
        self._hints: set[str] = set()
        self._evidence = [evidence(runs) for runs in self.templates]
        self._grams: dict[str, list[int]] = defaultdict(list)
        heads, tails = [], []
        for number, runs in enumerate(self.templates):
            if runs[0][0] == BEGIN[0]:
                heads.append(number)
            elif runs[-1][-1] == END[0]:
                tails.append(number)
            else:
                self._grams[_key(max(runs, key=len), self._grams)].append(number)
                self._hints.add(hints[number] if number < len(hints) else "")
        self._heads = Anchors(self.templates, heads, at_end=False)
        self._tails = Anchors(self.templates, tails, at_end=True)

    def best(self, shaped: str) -> int | None:
        """The template that tells most of those that the text fits."""
        own = self._evidence
        return max(self.all(shaped), key=lambda one: (own[one], -one), default=None)

    def best_in(self, text: str) -> int | None:
        """The same as `best(shape(text))`; the middle is only read where it matters."""
        text = shortened(text)
        if len(text) <= 4 * GLANCE or any(hint in text for hint in self._hints):
            return self.best(shape(text))
        head = text.lstrip()[:GLANCE].rpartition(" ")[0]
        tail = text.rstrip()[-GLANCE:].partition(" ")[2]
        if not head or not tail:
            return self.best(shape(text))
        begins, closes = BEGIN + codes(head), codes(tail) + END
        ends = f"{begins}{CUT}{closes}"
        if (
            min(len(begins), len(closes)) < max(self._heads.longest, self._tails.longest)
            or self._heads.is_crowded(ends)
            or self._tails.is_crowded(ends)
        ):
            return self.best(shape(text))
        own, templates = self._evidence, self.templates
        best = None
        for one in sorted(set(self._likely(ends)), key=lambda one: (-own[one], one)):
            if fits(templates[one], ends):
                best = one
                break
            if _may_fit(templates[one], ends):
                return self.best(shape(text))
        return best

    def all(self, shaped: str) -> Iterator[int]:
        """All templates that the text fits."""
        templates = self.templates
        for number in self._likely(shaped):
            if fits(templates[number], shaped):
                yield number

    def _likely(self, shaped: str) -> Iterator[int]:
        yield from self._heads.likely(shaped)
        yield from self._tails.likely(shaped)
        if self._grams:
            yield from self._floating(shaped)

    def _floating(self, shaped: str) -> Iterator[int]:
        if len(shaped) > 2 * NEAR:
            shaped = f"{shaped[:NEAR]}  {shaped[-NEAR:]}"
        if len(self._grams) <= FEW:
            found: Iterable[str] = [gram for gram in self._grams if gram in shaped]
        else:
            found = self._grams.keys() & {shaped[at : at + 3] for at in range(len(shaped) - 2)}
        for gram in found:
            yield from self._grams[gram]


def _may_fit(runs: Runs, ends: str) -> bool:
    """Whether a text with these ends may fit: what is seen of a long first or last run fits."""
    head, tail = ends.split(CUT, 1)
    first, last = runs[0], runs[-1]
    begins = first[0] != BEGIN[0] or head.startswith(first[: len(head)])
    return begins and (last[-1] != END[0] or tail.endswith(last[-len(tail) :]))


FEW = 40
"""Grams that are faster looked for one by one."""


def _key(run: str, taken: dict[str, list[int]]) -> str:
    """A gram of the run that few others are found by."""
    keys = [run[at : at + 3] for at in range(max(1, len(run) - 2))]
    return min(keys, key=lambda key: len(taken.get(key, ())))
