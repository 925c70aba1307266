"""A trial in lines, for a terminal. Nothing foreign in them is made safe to print yet."""

from collections.abc import Iterator

from llmproxy_core.plural import counted
from llmproxy_core.policies.policy import Phase
from llmproxy_core.trial.replay import Trial

WHERE: dict[Phase, tuple[str, str]] = {
    "request": ("request", "requests"),
    "tool_call": ("answer with such a call of a tool", "answers with such a call of a tool"),
    "answer": ("answer", "answers"),
}
"""One, and several."""


def lines(trial: Trial) -> list[str]:
    return [*_acted(trial), *_examples(trial), *_bound(trial), *_caveats(trial)]


def _acted(trial: Trial) -> Iterator[str]:
    since = f"{trial.since.astimezone():%Y-%m-%d %H:%M}"
    share = f" ({trial.hit / trial.calls:.2%})" if trial.calls else ""
    yield (
        f"{trial.policy.name}: of {counted(trial.calls, 'call')} since {since} it would have acted on "
        f"{trial.hit:,}{share}"
    )
    for (outcome, phase, namespace), number in sorted(trial.acted.items()):
        yield f"  {outcome:<10}{number:>9,} {WHERE[phase][number != 1]} in {namespace}"


def _examples(trial: Trial) -> Iterator[str]:
    for one in trial.examples:
        at = f"{one.at.astimezone():%m-%d %H:%M:%S}"
        why = f": {one.why}" if one.why else ""
        yield f"  e.g. {one.id.hex[-8:]}  {at}  {one.namespace}  {one.model or '-'}{why}"


def _bound(trial: Trial) -> Iterator[str]:
    if not trial.findings:
        return
    judged = trial.judged
    if not judged.labelled:
        yield (
            f"Of {counted(trial.findings, 'finding')} nobody has judged one: resolve some, or call them false "
            "positives, and the rate of these can be told."
        )
        return
    yield (
        f"Of {counted(judged.labelled, 'finding')} that people have judged, {judged.false:,} were false "
        f"positives: their rate is at most {judged.bound:.1%}, with a confidence of 95 %."
    )
    allowed = trial.policy.max_false_positive_rate
    if allowed is not None:
        verdict = "is within" if judged.bound <= allowed else "is above"
        yield f"That {verdict} its max_false_positive_rate of {allowed:.1%}."


def _caveats(trial: Trial) -> Iterator[str]:
    if trial.more:
        yield "There are more calls since then: the newest were tried, see --most."
    if trial.without_texts:
        yield f"Of {counted(trial.without_texts, 'call')} no texts were kept: nothing was found in them."
    if trial.unreadable:
        yield f"{counted(trial.unreadable, 'call')} could not be read again."
    if trial.faults:
        yield f"Not all texts could be judged: {'; '.join(sorted(trial.faults)[:3])}."
