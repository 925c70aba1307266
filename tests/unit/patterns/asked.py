"""Prompts for tests of types: the templates of `asked.txt`, filled with what varies."""

import random
from pathlib import Path

HERE = Path(__file__).parent
NOUNS = [
    "a lighthouse",
    "the old harbour",
    "rain",
    "Maria",
    "a violin",
    "solar panels",
    "the mayor",
    "Berlin",
    "honey",
    "a fox",
    "copper",
    "chess",
    "the moon",
    "cheese",
    "gravity",
    "a bicycle",
    "tulips",
    "a glacier",
    "coffee",
    "the museum",
]
VERBS = [
    "closed",
    "found",
    "repaired",
    "visited",
    "sold",
    "praised",
    "measured",
    "lost",
    "painted",
    "described",
]
PLACES = [
    "near the river",
    "in 1987",
    "before the election",
    "after two weeks",
    "at school",
    "in the north",
]
QUESTIONS = [
    "Who {v} {n} {p}?",
    "Why was {n} {v} {p}?",
    "What {v} {n}?",
    "How many people {v} {n} {p}?",
    "Where would you find {n}?",
    "When did {n} become famous?",
    "How does {n} differ from {m}?",
]
CODES = [
    "def {w}(items):\n    for item in items:\n        yield item.{w}\n",
    "SELECT {w}, count(*) FROM {w}_log GROUP BY {w};\n",
    "const {w} = async (id) => {{\n  return await fetch(`/{w}/${{id}}`);\n}};\n",
    "class {w}:\n    def __init__(self, {w}=None):\n        self.{w} = {w}\n",
]
OPINIONS = [
    "The {w} was wonderful and the staff friendly.",
    "I waited an hour for the {w}, never again!",
    "Nice {w}, but far too expensive?",
    "My wife loved the {w}, I did not.",
    "Best {w} in town.",
]
ASKING = [
    "My {w} has not arrived yet, order 4{k}.",
    "Could you tell me how to change my {w}?",
    "The app crashes when I open {w}.",
    "We met at the {w} fair, here is my offer.",
    "Please call me at 555-0{k} about the {w}.",
]


def templates(name: str = "asked.txt") -> list[tuple[str, str]]:
    """(type, template) in the order of the file."""
    lines = (HERE / name).read_text("utf-8").splitlines()
    pairs = (line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    return [(type, template.replace("\\n", "\n")) for type, template in pairs]


def filled(template: str, count: int, seed: int = 0) -> list[str]:
    """`count` prompts that this template makes."""
    dice = random.Random(f"{seed} {template}")
    return [_filled(template, dice) for _ in range(count)]


def _filled(template: str, dice: random.Random) -> str:
    for slot, make in SLOTS.items():
        while "{" + slot + "}" in template:
            template = template.replace("{" + slot + "}", make(dice), 1)
    return template


def _noun(dice: random.Random) -> str:
    return dice.choice(NOUNS)


def _word(dice: random.Random) -> str:
    return _noun(dice).split()[-1].lower()


def _sentence(dice: random.Random) -> str:
    words = [_noun(dice), dice.choice(VERBS), _noun(dice), dice.choice(PLACES)]
    text = " ".join(words)
    return text[0].upper() + text[1:] + "."


def _passage(dice: random.Random) -> str:
    return " ".join(_sentence(dice) for _ in range(dice.randint(3, 25)))


def _question(dice: random.Random) -> str:
    return dice.choice(QUESTIONS).format(
        n=_noun(dice), m=_noun(dice), v=dice.choice(VERBS), p=dice.choice(PLACES)
    )


def _lines(dice: random.Random, kinds: list[str], least: int, most: int) -> str:
    chosen = (dice.choice(kinds) for _ in range(dice.randint(least, most)))
    return " ".join(kind.format(w=_word(dice), k=dice.randint(10, 99)) for kind in chosen)


def _dialogue(dice: random.Random) -> str:
    who = dice.sample(["Ana", "Bo", "Chen", "Dee"], 2)
    said = (_question if dice.random() < 0.4 else _sentence for _ in range(dice.randint(4, 12)))
    return "\n".join(f"{who[n % 2]}: {make(dice)}" for n, make in enumerate(said))


def _task(dice: random.Random) -> str:
    return f"{dice.choice(['sorts', 'counts', 'stores', 'merges'])} {_word(dice)} records"


def _problem(dice: random.Random) -> str:
    some, more = dice.randint(3, 40), dice.randint(2, 9)
    return f"Tom has {some} {_word(dice)}s and gets {more} times as many. How many are there now?"


SLOTS = {
    "message": lambda dice: _lines(dice, ASKING, 1, 4),
    "review": lambda dice: _lines(dice, OPINIONS, 1, 5),
    "passage": _passage,
    "dialogue": _dialogue,
    "question": _question,
    "sentence": _sentence,
    "problem": _problem,
    "task": _task,
    "code": lambda dice: "\n".join(
        dice.choice(CODES).format(w=_word(dice)) for _ in range(dice.randint(1, 4))
    ),
    "commits": lambda dice: "\n".join(f"- {_sentence(dice)}" for _ in range(dice.randint(3, 8))),
    "noun": _noun,
}
