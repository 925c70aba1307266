"""Prompts of many programs, each with the template that made it.

Contents come from a small grammar and from pools that several templates share, as several prompts
about one document do. Deterministic for a seed.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

type Fill = Callable[["Filler"], str]

_SMALL = (
    "the of and to a in is was for that it with as his on be at by this had not are but from or "
    "have an they which one you were all her she there would their we him been has when who will "
    "no more if out so up said what its about than into them can only other time new some could "
    "these two may first then do any like my now over such our man me even most made after also"
)
_SYLLABLES = "ba cor den el fi gar hol in ja ker lo mun nor ol pra qui ras sen tu var wel xi yo zan"
_GERMAN = "der alte Hafen liegt still und die kleinen Boote warten auf den Morgen im Nebel"
SMALL, SYLLABLES, GERMAN = _SMALL.split(), _SYLLABLES.split(), _GERMAN.split()
ENDS = [".", ".", ".", ".", "!", "?", "..."]
CHINESE = "我们今天去市场买了很多新鲜的水果和蔬菜他说明天可能会下大雨所以不要忘记带伞孩子学校老师"
JAPANESE = "わたしは昨日とても古い本を図書館で読みました明日は友だちと海へ行くつもりです"


class Filler:
    """Draws contents."""

    def __init__(self, seed: int, pool: int = 40) -> None:
        self.dice = random.Random(seed)
        self._pools = {kind: [self._fresh(kind) for _ in range(pool)] for kind in FRESH}

    def _fresh(self, kind: str) -> str:
        return FRESH[kind](self)

    def shared(self, kind: str) -> str:
        """One of a few dozen contents that other prompts have, too."""
        if self.dice.random() < 0.5:
            return self.dice.choice(self._pools[kind])
        return self._fresh(kind)

    def pick(self, words: list[str]) -> str:
        return self.dice.choice(words)

    def times(self, fill: Fill, least: int, most: int, between: str) -> str:
        return between.join(fill(self) for _ in range(self.dice.randint(least, most)))


def word(f: Filler) -> str:
    """Function words are frequent, others are drawn by a power law from some 10,000."""
    if f.dice.random() < 0.45:
        return SMALL[min(int(f.dice.expovariate(1 / 22)), len(SMALL) - 1)]
    rank = int(10_000 ** f.dice.random())
    made = random.Random(rank)
    return "".join(made.choice(SYLLABLES) for _ in range(made.randint(1, 4)))


def noun(f: Filler) -> str:
    return random.Random(int(5_000 ** f.dice.random())).choice(SYLLABLES) + word(f)


def name(f: Filler) -> str:
    return word(f).capitalize()


def place(f: Filler) -> str:
    return f"{word(f).capitalize()}{f.pick(['', '', ' City'])}"


def number(f: Filler) -> str:
    return str(f.dice.randint(2, 9000))


def thing(f: Filler) -> str:
    return " ".join(word(f) for _ in range(f.dice.randint(1, 3)))


def clause(f: Filler) -> str:
    words = [word(f) for _ in range(f.dice.randint(3, 12))]
    if f.dice.random() < 0.2:
        words[f.dice.randrange(len(words))] = number(f)
    if f.dice.random() < 0.3:
        words[f.dice.randrange(len(words))] += ","
    return " ".join(words)


def sentence(f: Filler) -> str:
    body = " ".join(clause(f) for _ in range(f.dice.randint(1, 3)))
    return body[0].upper() + body[1:] + f.pick(ENDS)


def passage(f: Filler) -> str:
    return f.times(sentence, 2, 7, " ")


def document(f: Filler) -> str:
    return f.times(passage, 2, 5, "\n\n")


def question(f: Filler) -> str:
    head = f.pick(["What is", "Why does", "Who", "When was", "How can I", "Where is", "Which"])
    return f"{head} {clause(f)}?"


def dialogue(f: Filler) -> str:
    one, two = name(f), name(f)
    return "\n".join(f"{(one, two)[i % 2]}: {sentence(f)}" for i in range(f.dice.randint(3, 9)))


def code(f: Filler) -> str:
    lines = [f"def {noun(f)}_{noun(f)}({noun(f)}, {noun(f)}):"]
    lines += [
        f"    {noun(f)} = {noun(f)}.{word(f)}({number(f)})" for _ in range(f.dice.randint(2, 9))
    ]
    return "\n".join([*lines, f"    return {noun(f)}"])


def log(f: Filler) -> str:
    return "\n".join(
        f"2026-0{f.dice.randint(1, 9)}-11T0{f.dice.randint(0, 9)}:{f.dice.randint(10, 59)} "
        f"{f.pick(['INFO', 'WARN', 'ERROR'])} {noun(f)}: {clause(f)}"
        for _ in range(f.dice.randint(40, 160))
    )


def chinese(f: Filler) -> str:
    return "".join(f.dice.choice(CHINESE) for _ in range(f.dice.randint(8, 30)))


def japanese(f: Filler) -> str:
    return "".join(f.dice.choice(JAPANESE) for _ in range(f.dice.randint(8, 30)))


def german(f: Filler) -> str:
    return " ".join(f.dice.choice(GERMAN) for _ in range(f.dice.randint(6, 25))) + "."


def listed(f: Filler) -> str:
    return f.times(noun, 3, 5, ", ")


FRESH: dict[str, Fill] = {
    "sentence": sentence,
    "passage": passage,
    "document": document,
    "question": question,
    "dialogue": dialogue,
    "code": code,
}


def _of(kind: str) -> Fill:
    return lambda f: f.shared(kind)


def _one(*words: str) -> Fill:
    return lambda f: f.pick(list(words))


def _many(fill: Fill, least: int, most: int, between: str) -> Fill:
    return lambda f: f.times(fill, least, most, between)


SLOTS: dict[str, Fill] = {
    "name": name,
    "place": place,
    "noun": noun,
    "thing": thing,
    "number": number,
    "clause": clause,
    "listed": listed,
    "log": log,
    "zh": chinese,
    "ja": japanese,
    "de": german,
    "sentence": _of("sentence"),
    "other": _of("sentence"),
    "passage": _of("passage"),
    "document": _of("document"),
    "question": _of("question"),
    "dialogue": _of("dialogue"),
    "code": _of("code"),
    "language": _one("German", "French", "Spanish", "Italian", "Polish", "Dutch", "Turkish"),
    "kind": _one("person", "place", "number", "date", "reason", "thing", "method"),
    "steps": _many(lambda f: f"- {clause(f)}", 1, 7, "\n"),
    "bullets": _many(lambda f: f"- {clause(f)}", 4, 4, "\n"),
    "passages": _many(lambda f: f"[{number(f)}] {f.shared('passage')}", 2, 6, "\n"),
    "facts": _many(lambda f: f"- {noun(f)}: {f.pick([name(f), place(f), number(f)])}", 3, 8, "\n"),
    "columns": _many(lambda f: f"{noun(f)}({listed(f)})", 2, 4, "\n"),
}

TEMPLATES = (
    "You triage support tickets for {name} Ltd. Pick one queue: billing, shipping, returns or "
    "technical.\n\nTicket:\n{passage}\n\nQueue:",
    "Answer using only the context below. If the answer is not there, say so.\n\nContext:\n"
    "{document}\n\nQuestion: {question}",
    "Question: {question}\n\nUse these passages:\n{passages}\n\nGive a short answer with citations.",
    "Goal: {clause}\nSteps so far:\n{steps}\nLast observation: {sentence}\nWhat is the next action? "
    "Reply with one JSON object.",
    "Review this diff for bugs. Be brief.\n\n```diff\n{code}\n```",
    "Explain what this function does to a beginner:\n```python\n{code}\n```",
    "Add type hints and a docstring.\n\n```python\n{code}\n```\n\nReturn only the code.",
    "Write a polite e-mail to {name} about {thing}. Keep it under {number} words and sign as {name}.",
    'Extract the fields "name", "date" and "amount" from the invoice text and answer with JSON '
    "only.\n\n{passage}",
    "Text: the food was cold\nLabel: negative\n\nText: what a lovely evening\nLabel: positive\n\n"
    "Text: {sentence}\nLabel:",
    "Text: my parcel is late\nLabel: shipping\n\nText: I was charged twice\nLabel: billing\n\n"
    "Text: {sentence}\nLabel:",
    "Translate the following text into {language}:\n\n{passage}",
    "Translate to English: {de}",
    "Summarise the meeting notes in three bullet points.\n\n{dialogue}",
    "Summarise the meeting notes in one sentence.\n\n{dialogue}",
    "{document}\n\nWrite a headline for the article above.",
    "{document}\n\nIn one sentence, the article says that",
    "{question}\nA) {clause}\nB) {clause}\nC) {clause}\nD) {clause}\nAnswer with the letter only.",
    "What is the capital of the region around {place}?",
    "Is {thing} bigger than {thing}? Answer yes or no.",
    "Fasse den folgenden Text in zwei Sätzen zusammen:\n\n{de}",
    "Schreibe eine höfliche Antwort auf diese E-Mail:\n\n{de}\n\nAntwort:",
    "Résume ce texte en une phrase, sans donner ton avis :\n{passage}",
    "Clasifica el sentimiento de esta reseña como positivo, negativo o neutro: {sentence}",
    "请把下面的句子翻译成英文:{zh}",
    "次の文を丁寧な日本語に書き直してください。\n{ja}",
    "{passage}\nIs the review above positive?",
    "{passage}\nIs the review above sarcastic?",
    "Compare {thing} and {thing}. Start with the older one, and say which of the two is cheaper.",
    "Here is a log:\n{log}\nFind the first error and explain its cause.",
    "{passage}\n\nConsidering the above, what should be done about the following?\n\n{sentence}",
    "Given the tables\n{columns}\nwrite a SQL query for: {question}",
    "Rewrite the sentence so that it sounds more formal: {sentence}",
    "Rewrite the sentence so that it sounds more casual: {sentence}",
    "Premise: {sentence}\nHypothesis: {other}\nDoes the premise entail the hypothesis? Yes, no or "
    "maybe?",
    "Premise: {sentence}\nHypothesis: {other}\nDo they contradict each other?",
    "Context: {passage}\nQ: {question}\nA:",
    "Is this question asking for a {kind}? {question}",
    "Facts:\n{facts}\nBased on these bullet points, write a short biography.",
    "Put these words into one sentence: {listed}",
    "{sentence}\nWhich section of the newspaper is it from? World, Sports, Business or Technology",
    "{dialogue}\nQuestion: {question}\nOptions:\n{bullets}",
    "Read the dialogue and say what {name} will do next.\n\n{dialogue}",
    "I will give you a sentence, you tell me whether it is true. {sentence}",
    'Someone asked "{question}" and the reply was "{sentence}". Was the reply helpful?',
    "Suppose {clause}. Can we conclude that {clause}?",
    "Generate a product description for {thing} in {number} words.",
    "Correct the grammar:\n{sentence}",
    "{sentence}\nParaphrase:",
    "Rate from 1 to 5 how likely it is that {clause}.",
)

ONE_OFFS = (
    "Write a {noun} {clause}.",
    "How do I {clause}?",
    "Give me {number} {clause}",
    "{sentence} What would {clause}?",
    "Why {clause}?",
    "Make a list of {clause}",
    "{question}",
    "Can you {clause}? {sentence}",
    "{sentence}",
    "You are given {clause}. {sentence}\n\n{passage}",
    "Explain {clause}",
    "Describe {thing}.\n\n{sentence}",
    "In this {noun}, {clause}. {sentence} {question}",
    "{clause}:\n{clause}\n{clause}",
)
"""Prompts that only begin alike: no two of them are of one template."""


@dataclass(frozen=True, slots=True)
class Made:
    """A prompt and what made it: the number of its template, or -1."""

    text: str
    template: int


def made(seed: int, templates: int, prompts: int, one_offs: int) -> list[Made]:
    """Prompts in random order. Group sizes follow a power law, four at least."""
    f = Filler(seed, max(40, prompts // 60))
    chosen = f.dice.sample(range(len(TEMPLATES)), templates)
    total = sum(1 / (rank + 1) for rank in range(templates))
    out = []
    for rank, which in enumerate(chosen):
        size = max(4, round(prompts / total / (rank + 1)))
        out += [Made(filled(f, TEMPLATES[which]), which) for _ in range(size)]
    out += [Made(filled(f, f.pick(list(ONE_OFFS))), -1) for _ in range(one_offs)]
    f.dice.shuffle(out)
    return out


def filled(f: Filler, template: str) -> str:
    """The template with other contents in each slot."""
    pieces = template.split("{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        slot, _, rest = piece.partition("}")
        out += [SLOTS[slot](f), rest]
    return "".join(out)
