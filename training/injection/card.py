"""The model card: what was measured in this very run, in words and tables."""

from collections import Counter
from pathlib import Path

from llmproxy_core.anomaly.wording.windows import SIZE
from training.injection.evaluation import Material, Outcome
from training.injection.measures import Caught, together
from training.injection.validation import Checked

_TEXT = Path(__file__).with_name("card.md")


def card(material: Material, outcomes: dict[str, Outcome], checked: Checked, size: int) -> str:
    """Markdown, from the template beside this file."""
    user, tool = outcomes["user"], outcomes["tool"]
    return _TEXT.read_text("utf-8").format(
        size=f"{size / 1e6:.2f}",
        window=SIZE,
        user_mean=_percent(user.mean),
        user_groups=_table(user.groups),
        user_sources=_table(user.sources),
        user_context=_percent(together("by context", user.context)),
        user_wording=_percent(together("with wording", user.wording)),
        tool_mean=_percent(tool.mean),
        tool_groups=_table(tool.groups),
        tool_context=_percent(together("by context", tool.context)),
        hard=f"{100 * sum(user.hard) / len(user.hard):.1f}",
        flagged=_flagged(user.flagged),
        validation=_percent(checked.overall),
        validation_context=_percent(checked.by_context),
        validation_sources=_rows(checked.sources),
        validation_flagged=f"{100 * checked.flagged:.2f}",
        validation_hard="\n".join(
            f"| {name} | {100 * share:.1f} |" for name, share in checked.hard.items()
        ),
        data=_data(material),
    )


def _percent(one: Caught) -> str:
    return f"{100 * one.caught:.1f} % (AUC {one.area:.3f})"


def _rows(parts: list[Caught]) -> str:
    return "\n".join(
        f"| {one.name} | {one.count} | {100 * one.caught:.1f} | {one.area:.3f} |" for one in parts
    )


def _table(parts: dict[str, list[Caught]]) -> str:
    return _rows([together(name, found) for name, found in parts.items()])


def _flagged(shares: dict[str, list[float]]) -> str:
    mean = {name: 100 * sum(found) / len(found) for name, found in shares.items()}
    return "\n".join(f"| {name} | {share:.2f} |" for name, share in sorted(mean.items()))


def _data(material: Material) -> str:
    counts = Counter(
        (one.source, "attack" if one.attack else "harmless")
        for one in material.real.documents + (material.wire.documents if material.wire else [])
    )
    return "\n".join(
        f"| {source} | {label} | {n} |" for (source, label), n in sorted(counts.items())
    )
