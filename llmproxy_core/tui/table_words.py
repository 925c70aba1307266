"""A small table among words: as many of its columns as have room, a line for each row."""

from collections.abc import Iterable, Iterator, Sequence

from textual.content import Content

from llmproxy_core.tui.widgets.columns import Column, Glance, Tone, fit, padded

TITLES = "bold $foreground 55%"
STYLES: dict[Tone, str] = {
    "strong": "bold",
    "dim": "$foreground 70%",
    "faint": "$foreground 50%",
    "good": "$success",
    "warn": "$warning",
    "bad": "$error",
    "busy": "$primary",
    "accent": "$accent",
    "second": "$secondary",
}
ROOMY = 200
"""Cells where nobody knows how many there are."""


def table[Row](
    columns: Sequence[Column[Row]], rows: Iterable[Row], width: int = ROOMY
) -> Iterator[Content]:
    """`width`: cells that a line may take."""
    layout = fit(columns, max(1, width))
    titles = [padded(column.title, cells, column.right) for column, cells in layout]
    yield Content.styled(" ".join(titles), TITLES)
    for row in rows:
        cells = [(column.cell(row, Glance()), column, wide) for column, wide in layout]
        yield Content(" ").join(
            Content.styled(padded(text, wide, column.right), STYLES.get(tone, ""))
            for (text, tone), column, wide in cells
        )
