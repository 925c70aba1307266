"""The columns of the list of sessions, and of the turns that unfold below them."""

from collections.abc import Container, Mapping
from uuid import UUID

from llmproxy_core.store.flows import Flow, Session
from llmproxy_core.store.overview import Family
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.flow_columns import client_name, elapsed_ms, model_name, status_tone
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance

type Node = Session | Flow
"""A line of the list: a session, or below it one of its turns."""

STAR = "★ "


def columns(unfolded: Container[UUID], families: Mapping[UUID, Family]) -> tuple[Column[Node], ...]:
    return (
        Column("Session", 36, 0, lambda node, glance: _title(node, glance, unfolded), grow=6),
        Column("Client", 10, 7, lambda node, _: Cell(client_name(node), "dim"), grow=1, most=16),
        Column(
            "Model",
            14,
            6,
            lambda node, _: Cell(model_name(node), "second"),
            grow=1,
            most=26,
        ),
        Column("Turns", 5, 1, _turns, right=True),
        Column("Forks", 6, 10, lambda node, _: _forks(node, families), right=True),
        Column("In", 6, 4, lambda node, _: _tokens(node, node.input_tokens), right=True),
        Column("Cached", 6, 8, lambda node, _: _tokens(node, node.cached_tokens), right=True),
        Column("Out", 6, 5, lambda node, _: _tokens(node, node.output_tokens), right=True),
        Column("Cost", 8, 2, _cost, right=True),
        Column("Err", 3, 9, _errors, right=True),
        Column("Last", 6, 3, _last, right=True),
    )


def _title(node: Node, glance: Glance, unfolded: Container[UUID]) -> Cell:
    if isinstance(node, Session):
        sign = "▾" if node.id in unfolded else "▸"
        star = STAR if node.starred else ""
        return Cell(
            f"{sign} {star}{plain.line(node.title or node.model or node.provider)}", "strong"
        )
    said = plain.line(node.error or node.preview or f"{node.method} {node.path}")
    return Cell(
        f"  └ {figures.when(node.started_at, glance.now, glance.zone)} {said}",
        status_tone(node) if node.error else "dim",
    )


def _turns(node: Node, glance: Glance) -> Cell:
    if isinstance(node, Session):
        return Cell(str(node.requests))
    return Cell(str(node.status or "…"), status_tone(node))


def _forks(node: Node, families: Mapping[UUID, Family]) -> Cell:
    """`2a 1b`: two sub-agents, one branch."""
    family = families.get(node.id, Family()) if isinstance(node, Session) else Family()
    told = ((family.subagents, "a"), (family.branches, "b"))
    return Cell(" ".join(f"{count}{sign}" for count, sign in told if count), "second")


def _cost(node: Node, _: Glance) -> Cell:
    guessed = "~" if isinstance(node, Flow) and node.estimated and node.cost_usd else ""
    return Cell(guessed + figures.usd(node.cost_usd), "accent" if node.cost_usd else "faint")


def _tokens(node: Node, value: int | None) -> Cell:
    return Cell(figures.tokens(value), "text" if value else "faint")


def _errors(node: Node, _: Glance) -> Cell:
    if isinstance(node, Session):
        return Cell(str(node.errors) if node.errors else "", "bad")
    return Cell("")


def _last(node: Node, glance: Glance) -> Cell:
    if isinstance(node, Session):
        return Cell(figures.ago(node.last_at, glance.now), "dim")
    took = node.duration_ms if node.state != "open" else elapsed_ms(node, glance)
    return Cell(figures.ms(took), "busy" if node.state == "open" else "dim")
