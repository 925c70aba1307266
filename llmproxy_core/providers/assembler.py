"""Answers put together from what the wire formats read: one event at a time, or all at once.

The formats only map: this text belongs to choice 0, this is a piece of the arguments of the call
with that key. Order, joining and deltas are the same for all of them, streamed or not.
"""

from typing import TypeGuard

from llmproxy_core.model import ApiError, Delta, DeltaKind, Part, Response, ToolCall, Usage

type Key = int | str | tuple[int | str, int | str] | None
"""What a format calls a block by; None: the last one of its kind, while nothing came between."""

GAP = "\n\n"
"""Between two blocks of reasoning."""
SOURCES = 200
"""Sources of one answer that are kept."""


class Block:
    """A piece of one choice: text, reasoning, a call. `pieces` joined are its text.

    `hosted`: a call of a tool that the provider runs; it is not told while it is written.
    """

    __slots__ = ("hosted", "id", "kind", "name", "pieces")

    def __init__(
        self, kind: DeltaKind, name: str = "", id: str | None = None, hosted: bool = False
    ) -> None:
        self.kind = kind
        self.name = name
        self.id = id
        self.hosted = hosted
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class _Choice:
    __slots__ = ("blocks", "finish", "keyed", "last", "reasoned")

    def __init__(self) -> None:
        self.blocks: list[Block | Part] = []
        self.keyed: dict[Key, Block] = {}
        self.last: Block | None = None
        self.finish: str | None = None
        self.reasoned = False

    def texts(self, kind: DeltaKind) -> list[str]:
        return [b.text for b in self.blocks if isinstance(b, Block) and b.kind == kind]


class Assembler:
    """Collects one answer. With `live`, every piece is also a Delta, to be fetched with `take`.

    `closed`: the format saw the end of the answer. `written` counts blocks and parts. The other
    plain attributes are set by formats.
    """

    __slots__ = (
        "_choices",
        "_cited",
        "_deltas",
        "_live",
        "_notes",
        "_unfinished",
        "closed",
        "error",
        "id",
        "model",
        "n_embeddings",
        "n_events",
        "server_tool_calls",
        "unknown",
        "usage",
        "written",
    )

    def __init__(self, live: bool = False) -> None:
        self.id: str | None = None
        self.model: str | None = None
        self.usage: Usage | None = None
        self.error: ApiError | None = None
        self.closed = False
        self.n_events = 0
        self.n_embeddings: int | None = None
        self.unknown: dict[str, int] = {}
        self.server_tool_calls: list[str] = []
        self.written = 0
        self._unfinished = 0
        self._cited: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._live = live
        self._deltas: list[Delta] = []
        self._choices: dict[int, _Choice] = {}

    def choice(self, index: int = 0) -> None:
        """Note that there is a choice, even if it stays empty."""
        if index not in self._choices:
            self._choices[index] = _Choice()
            self._unfinished += 1

    def add(self, kind: DeltaKind, text: str, choice: int = 0, key: Key = None) -> None:
        """A piece of text of a block; the block begins with its first piece."""
        slot = self._choices.get(choice)
        if slot is None:
            self.choice(choice)
            slot = self._choices[choice]
        block = slot.last if key is None else slot.keyed.get(key)
        if block is None or (key is None and block.kind != kind):
            block = self._begin(slot, Block(kind), choice, key)
        block.pieces.append(text)
        if self._live and text and not block.hosted:
            self._deltas.append(Delta(kind, text, choice))

    def call(
        self, key: Key, name: str, id: str | None, choice: int = 0, hosted: bool = False
    ) -> None:
        """A call of a tool begins; if the key is known, the call gets what it lacked.

        With another id it is another call: some servers give parallel calls one index, or none.
        """
        self.choice(choice)
        slot = self._choices[choice]
        block = slot.keyed.get(key)
        if block is not None and block.kind == "tool_call" and id in (None, block.id or id):
            block.id = block.id or id
            if name and not block.name:
                block.name = name
                self._tell_name(block, choice)
            return
        block = self._begin(slot, Block("tool_call", name, id, hosted), choice, key)
        if hosted:
            self.server_tool_calls.append(name)
        if name and not hosted:
            self._tell_name(block, choice)

    def part(self, part: Part, choice: int = 0) -> None:
        """Something for display that is not written piece by piece."""
        self.choice(choice)
        slot = self._choices[choice]
        slot.blocks.append(part)
        slot.last = None
        self.written += 1

    def cite(self, title: str, where: str) -> None:
        """A source that the answer names; each is shown once, after the answer."""
        shown = f"{title[:300]} {where[:500]}".strip()
        if shown and len(self._cited) < SOURCES:
            self._cited[shown] = None

    def note(self, words: str) -> None:
        """Something about the whole answer; told once, after it."""
        if len(self._notes) < SOURCES:
            self._notes[words] = None

    def block(self, key: Key, choice: int = 0) -> Block | None:
        slot = self._choices.get(choice)
        return slot.keyed.get(key) if slot else None

    def finish(self, reason: str, choice: int = 0) -> None:
        """An empty reason counts only until there is another."""
        self.choice(choice)
        slot = self._choices[choice]
        self._unfinished -= slot.finish is None
        slot.finish = reason or slot.finish or ""

    def finished(self) -> bool:
        """Has every choice that began a finish reason?"""
        return bool(self._choices) and self._unfinished == 0

    def forget(self) -> None:
        """Drop what was collected of the choices: the whole answer follows, without deltas."""
        self._choices.clear()
        self._unfinished = 0
        self._cited.clear()
        self._notes.clear()
        self.server_tool_calls.clear()
        self._live = False

    def unknown_event(self, name: str) -> None:
        if name in self.unknown or len(self.unknown) < 64:
            self.unknown[name] = self.unknown.get(name, 0) + 1

    def take(self) -> list[Delta]:
        """The deltas since the last call."""
        if not self._deltas:
            return []
        taken, self._deltas = self._deltas, []
        return taken

    def response(self) -> Response:
        ordered = [self._choices[index] for index in sorted(self._choices)]
        first = ordered[0] if ordered else _Choice()
        calls = [b for b in first.blocks if _is_call(b)]
        return Response(
            id=self.id,
            model=self.model,
            texts=["".join(choice.texts("text")) for choice in ordered],
            reasoning=GAP.join(first.texts("reasoning")),
            refusal="".join(first.texts("refusal")) or None,
            tool_calls=[ToolCall(call.id, call.name, call.text) for call in calls],
            server_tool_calls=self.server_tool_calls,
            finish_reasons=[choice.finish for choice in ordered if choice.finish is not None],
            usage=self.usage,
            error=self.error,
            n_events=self.n_events,
            unknown_events=self.unknown,
            n_embeddings=self.n_embeddings,
            parts=[_shown(block) for block in first.blocks] + self._after(),
        )

    def _after(self) -> list[Part]:
        sources = ["\n".join(["sources:", *self._cited])] if self._cited else []
        return [Part("other", words) for words in [*self._notes, *sources]]

    def _begin(self, slot: _Choice, block: Block, choice: int, key: Key) -> Block:
        if block.kind == "reasoning":
            if self._live and slot.reasoned:
                self._deltas.append(Delta("reasoning", GAP, choice))
            slot.reasoned = True
        self.written += 1
        slot.blocks.append(block)
        slot.last = block if key is None else None
        if key is not None:
            slot.keyed[key] = block
        return block

    def _tell_name(self, block: Block, choice: int) -> None:
        if self._live:
            self._deltas.append(Delta("tool_call", f"{block.name} ", choice))


def _is_call(block: Block | Part) -> TypeGuard[Block]:
    """Is it a call of a client's tool?"""
    return isinstance(block, Block) and block.kind == "tool_call" and not block.hosted


def _shown(block: Block | Part) -> Part:
    if isinstance(block, Part):
        return block
    return Part(block.kind, block.text, block.name or None, block.id)
