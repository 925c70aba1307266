"""Conversations of one client, interleaved, of which it is known what continues what."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from llmproxy_core.model import Headers
from tests.worker.speakers import Chat, Said
from tests.worker.traffic import NOON, SECOND, Call

TOOLS = ["Read", "Edit", "Task"]
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "seven",
    "wizards",
    "mix",
    "jugs",
    "of",
    "dark",
    "ale",
]


@dataclass(frozen=True)
class Truth:
    """What a call is to its parent, which is told by its number."""

    relation: str
    parent: int | None = None
    call: str | None = None


@dataclass
class Turn:
    """A request that was made, and what was said in it and after it."""

    number: int
    said: list[Said]
    answer: Said | None
    continued: bool = False


@dataclass
class Dialogue:
    """One conversation. `turns` are those that were answered; the last of them goes on."""

    world: "World"
    opening: str
    born: Truth = field(default_factory=lambda: Truth("root"))
    turns: list[Turn] = field(default_factory=list)
    session: int = -1
    """A number; sub-agents have that of who called them."""

    def step(self) -> None:
        """One request more: most go on, some repeat, some change what was said before."""
        if not self.turns:
            self.ask([("user", self.opening, [])], self.born)
            return
        dice, last = self.world.dice, self.turns[-1]
        chance = dice.random()
        if chance < 0.1:
            self.repeat(last)
        elif chance < 0.2 and len(self.turns) > 1:
            self.edit(dice.choice(self.turns[:-1]))
        else:
            self.go_on(last)

    def go_on(self, turn: Turn) -> None:
        said = [*turn.said, *self.world.following(turn)]
        self.ask(said, Truth("branch" if turn.continued else "append", turn.number))
        turn.continued = True

    def edit(self, turn: Turn) -> None:
        """Go back to a turn and on from there in another way."""
        self.turns = self.turns[: self.turns.index(turn) + 1]
        self.go_on(turn)

    def repeat(self, turn: Turn) -> None:
        """The answer was not liked. At the start, it may as well be another who asks the same."""
        if self.born.relation == "root" and len(turn.said) == 1:
            self.session = self.world.another()
        again = self.world.call(turn.said, Truth("retry", turn.number), self.session)
        self.turns[-1] = again

    def ask(self, said: list[Said], truth: Truth) -> None:
        fails = self.world.dice.random() < 0.1
        turn = self.world.call(said, truth, self.session, fails=fails)
        while turn.answer is None:
            turn = self.world.call(said, Truth("retry", turn.number), self.session)
        self.turns.append(turn)


class World:
    """Makes calls; `truth` has one entry for each of them."""

    def __init__(self, dice: Random, speaker: type[Chat], headers: Headers | None = None) -> None:
        self.dice = dice
        self.speaker = speaker(dice)
        self.headers = headers or []
        self.calls: list[Call] = []
        self.truth: list[Truth] = []
        self.sessions: list[int] = []
        """Of each call."""
        self.originals: dict[int, int] = {}
        self.more = 100
        self.openings: dict[str, int] = {}
        self.agents: list[Dialogue] = []

    def call(self, said: list[Said], truth: Truth, session: int, *, fails: bool = False) -> Turn:
        number = len(self.calls)
        if truth.relation == "root":
            # until they differ, two that begin alike look like one that is repeated
            first = self.openings.setdefault(said[0][1], number)
            truth = truth if first == number else Truth("retry", first)
        if truth.relation == "retry" and truth.parent is not None:
            parent = self.originals.get(truth.parent, truth.parent)
            truth = Truth("retry", parent)
            self.originals[number] = parent
        answer = None if fails else self.answer()
        body = self.speaker.request(said, TOOLS, number)
        error = b'{"error": {"message": "overloaded"}}'
        self.calls.append(
            Call(
                number,
                NOON + number * SECOND,
                wire=self.speaker.wire,
                path=self.speaker.path,
                headers=self.headers,
                client=f"127.0.0.1:{self.dice.choice([4001, 4002, 4003])}",
                body=json.dumps(body).encode(),
                status=200 if answer else 529,
                answer=json.dumps(self.speaker.answer(answer, number)).encode()
                if answer
                else error,
            )
        )
        self.truth.append(truth)
        self.sessions.append(session)
        turn = Turn(number, said, answer)
        self.spawn(turn)
        return turn

    def another(self) -> int:
        """A number for one more session."""
        self.more += 1
        return self.more

    def words(self, count: int = 12) -> str:
        return " ".join(self.dice.choices(WORDS, k=count)) + f" {self.dice.randrange(10**9)}."

    def answer(self) -> Said:
        calls: list[Any] = []
        for _ in range(self.dice.choice([0, 0, 1, 1, 2])):
            id = f"call_{self.dice.randrange(10**12)}"
            if self.dice.random() < 0.3:
                prompt = {"description": "Look it up", "prompt": self.words(30)}
                calls.append((id, "Task", prompt))
            else:
                calls.append((id, "Read", {"file_path": f"/src/{self.words(1)}"}))
        return "assistant", self.words(), calls

    def following(self, turn: Turn) -> Iterator[Said]:
        assert turn.answer is not None
        yield turn.answer
        for call in turn.answer[2]:
            yield "tool", self.words(), [call]
        if not turn.answer[2]:
            yield "user", self.words(), []

    def spawn(self, turn: Turn) -> None:
        """The sub-agents that an answer calls."""
        for id, name, arguments in turn.answer[2] if turn.answer else []:
            if name == "Task":
                born = Truth("subagent", turn.number, id)
                opening = self.prompt(arguments["prompt"])
                session = self.sessions[turn.number]
                self.agents.append(Dialogue(self, opening, born, session=session))

    def prompt(self, text: str) -> str:
        reminder = "<system-reminder>Today is a good day.</system-reminder>\n"
        return reminder + text if self.dice.random() < 0.5 else text

    def run(self, dialogues: int, steps: int) -> None:
        """All of them at once, each at its own pace; some begin alike."""
        alike = self.words()
        open = [
            Dialogue(self, alike if n < 2 else self.words(), session=n) for n in range(dialogues)
        ]
        for _ in range(steps):
            open += self.agents
            self.agents = []
            self.dice.choice(open[-12:]).step()
