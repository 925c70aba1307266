"""Fifty prompts that programs send again and again, each with other contents in its slots.

Four of them are badly worded, so that the simulated model copes badly with them (`quality`); one
pays for a long system prompt in full on every call, one offers tools that nobody calls, and one says
everything twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from llmproxy_core.simulator.contents import Contents
from llmproxy_core.simulator.programs import ANTHROPIC, GEMINI, OPENAI, Call

OFTEN, PAUSE = 3, 0.3
"""How many more times an odd routine is run than others, and seconds between calls."""
HURRY = 0.1
"""Seconds between calls at the counter."""
ORDER_TOOL = {
    "type": "object",
    "properties": {"order": {"type": "string"}},
    "required": ["order"],
    "additionalProperties": False,
}
TOOLS = {
    "find_order": "Looks an order up by its number and tells where its parcels are.",
    "read_order": "Reads all lines of an order: goods, prices, addresses, and what was paid how.",
    "cancel_order": "Cancels what has not been sent yet. The customer gets a mail about it.",
    "print_label": "Prints a label for a parcel that comes back, on the printer next to the desk.",
    "open_ticket": "Opens a ticket for the workshop, with photos if there are any.",
    "send_voucher": "Sends the customer a voucher over ten euros; a manager has to agree.",
}
HANDBOOK = " ".join(
    f"Rule {number}: what is said about {thing} in chapter {number} of the handbook holds for all "
    "shops, unless the regional office has agreed to something else in writing beforehand."
    for number, thing in enumerate(
        ("returns", "deposits", "gift cards", "repairs", "deliveries", "complaints", "discounts")
        * 18,
        1,
    )
)
"""About 5,000 tokens."""


@dataclass(frozen=True, slots=True)
class Routine:
    """`wire`: how it is sent. `weakness`: of `quality`. `tools`: names; the first is called.
    `most`: the limit of tokens. `model`: of the wire's provider."""

    name: str
    prompt: str
    wire: str = "chat"
    system: str = ""
    model: str = ""
    json: bool = False
    most: int | None = None
    tools: tuple[str, ...] = ()
    weakness: str = ""

    def call(self, contents: Contents) -> Call:
        """With other contents each time; what is drawn depends on the seed of `contents`."""
        return WIRES[self.wire](self, contents.filled(self.prompt))


def calls(number: int, seed: int = 0) -> Iterator[Call]:
    """So many calls, the routines in turn."""
    contents = Contents(seed)
    for routine in islice(cycle(ROUTINES), number):
        yield routine.call(contents)


def office(session: int) -> Iterator[Call]:
    """A program for `Traffic`: all routines in some order, the odd ones more often."""
    contents = Contents(session)
    asked = [*ROUTINES, *_ODD * OFTEN]
    contents.dice.shuffle(asked)
    for routine in asked:
        call = routine.call(contents)
        call.pause = PAUSE
        yield call


def counter(session: int) -> Iterator[Call]:
    """A program for `Traffic`: the shop's counter, where the badly worded ones, and the one with too
    many tools, are asked all the time; so that a demo tells in minutes what takes days elsewhere."""
    contents = Contents(10_000 + session)
    for routine in (TRIAGE, DOSES, INCIDENTS, ORDERS, CLERKS) * 10:
        call = routine.call(contents)
        call.pause = HURRY
        yield call


def find(name: str) -> Routine:
    """Raises StopIteration if there is none of this name."""
    return next(one for one in ROUTINES if one.name == name)


def _chat(one: Routine, text: str) -> Call:
    messages = [{"role": "system", "content": one.system}] if one.system else []
    body: dict[str, Any] = {
        "model": one.model or "gpt-6.1-sol",
        "messages": [*messages, {"role": "user", "content": text}],
    }
    if one.json:
        body["response_format"] = {"type": "json_object"}
    if one.most:
        body["max_completion_tokens"] = one.most
    if one.tools:
        functions = [
            {"name": name, "description": TOOLS[name], "parameters": ORDER_TOOL}
            for name in one.tools
        ]
        body["tools"] = [{"type": "function", "function": function} for function in functions]
    return Call(f"{OPENAI}/chat/completions", body, _headers(one, "authorization", "Bearer sk-"))


def _responses(one: Routine, text: str) -> Call:
    body: dict[str, Any] = {"model": one.model or "gpt-6.1-terra", "input": text}
    if one.system:
        body["instructions"] = one.system
    if one.most:
        body["max_output_tokens"] = one.most
    return Call(f"{OPENAI}/responses", body, _headers(one, "authorization", "Bearer sk-"))


def _messages(one: Routine, text: str) -> Call:
    body: dict[str, Any] = {
        "model": one.model or "claude-sonnet-4-5",
        "max_tokens": one.most or 2000,
        "messages": [{"role": "user", "content": text}],
    }
    if one.system:
        body["system"] = one.system
    headers = _headers(one, "x-api-key", "sk-ant-") | {"anthropic-version": "2023-06-01"}
    return Call(ANTHROPIC, body, headers)


def _gemini(one: Routine, text: str) -> Call:
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    if one.system:
        body["systemInstruction"] = {"parts": [{"text": one.system}]}
    if one.most:
        body["generationConfig"] = {"maxOutputTokens": one.most}
    url = f"{GEMINI}/{one.model or 'gemini-3.8-flash'}:generateContent"
    return Call(url, body, _headers(one, "x-goog-api-key", "AIza-"))


def _headers(one: Routine, key: str, begin: str) -> dict[str, str]:
    return {key: f"{begin}demo-not-a-key", "user-agent": f"{one.name}/1.0"}


WIRES = {"chat": _chat, "responses": _responses, "messages": _messages, "gemini": _gemini}

TRIAGE = Routine(
    "support-triage",
    "Sort this ticket somehow and give back what matters about it as JSON.\n\nTicket:\n{text}",
    json=True,
    weakness="label-of-a-ticket",
)
DOSES = Routine(
    "dose-desk",
    "A customer of the shop in {place} bought {drug}. How much of it may be taken in a day by "
    "{person}?",
    system="You answer questions of customers.",
    weakness="dose-of-a-drug",
)
INCIDENTS = Routine(
    "incident-writer",
    "Tell everything about the incident that these notes are about:\n\n{dialogue}",
    wire="messages",
    most=700,
    weakness="report-without-a-length",
)
ORDERS = Routine(
    "order-finder",
    "Find the order this is about with find_order.\n\n{complaint}",
    tools=("find_order",),
    weakness="number-of-an-order",
)
HANDBOOKS = Routine(
    "shop-handbook",
    "A clerk in {place} asks about the {thing} of {person}: may it be returned? {sentence}",
    wire="messages",
    system=HANDBOOK,
)
CLERKS = Routine(
    "shop-clerk",
    "Look at what the customer writes and call read_order if it helps.\n\nCustomer: {complaint}",
    tools=("read_order", "cancel_order", "print_label", "open_ticket", "send_voucher"),
)
REPLIES = Routine(
    "reply-writer",
    "Write a polite reply to {person} about the {thing}. {sentence}",
    system=(
        "You write letters for a shop. Never promise a refund before the workshop has looked at it.\n"
        "Sign with the name of the shop. Use the customer's own words for what is broken.\n"
        "Never promise a refund before the workshop has looked at it."
    ),
)

PLAIN = (
    ("mood-of-reviews", "Is the mood of this review good or bad?\n\nReview: {text}\nMood:"),
    ("news-desk", "{text}\n\nWhich section of the newspaper is this from: sports, trade or culture?"),
    ("spam-filter", "Decide whether this message is spam. Answer yes or no.\n\nMessage: {text}"),
    ("urgency", "Rate from 1 to 5 how urgent this request of a customer is: {sentence}"),
    ("topic-tags", "Choose three tags for the following post.\n\nPost:\n{text}\n\nTags:"),
    ("language-check", "In which language was this sentence written at first? {sentence}"),
    ("polite-or-not", "Would you call the tone of {person} polite here?\n{dialogue}"),
    ("duplicate-check", "Do these two reports mean the same fault?\nA: {sentence}\nB: {sentence}"),
    ("translate-mail", "Translate the e-mail below into {language} and keep its tone.\n\n{text}"),
    ("translate-label", "How does one say '{thing}' in {language} on a label?"),
    ("translate-back", "Put this back into plain English, word by word:\n{sentence}"),
    ("short-version", "Summarise the report below in two sentences for a manager.\n\n{text}"),
    ("minutes", "Write the minutes of this conversation as a list of decisions.\n\n{dialogue}"),
    ("headline", "{text}\n\nWrite a headline of at most eight words for the article above."),
    ("daily-digest", "Make a digest of today's feedback from {place}:\n{text}"),
    ("explain-child", "Explain to a child of ten years what happens here: {sentence}"),
    ("pros-and-cons", "List the advantages and drawbacks that this customer sees.\n\n{text}"),
    ("extract-person", "Which people are named in this text, and where do they live?\n\n{text}"),
    ("extract-dates", "Copy every number with its meaning out of the notes.\nNotes:\n{text}"),
    ("extract-address", "Find the city and the product in: {sentence} Answer as city; product."),
    ("invoice-reader", "Read the fields {field} and {field} from this invoice text.\n\n{text}"),
    ("advert", "Write an advertisement for a {thing} made in {place}, in four lines."),
    ("birthday-card", "Write a birthday card for {person} who likes the {thing} very much."),
    ("job-offer", "Draft a job offer for a clerk in {place} who repairs each {thing} we sell."),
    ("slogan", "Invent a slogan with the words {listed}."),
    ("story", "Tell a story for the staff magazine that begins like this: {sentence}"),
    ("poem", "Compose a poem of two stanzas about the {thing} and the town of {place}."),
    ("code-review", "Review this function and name its worst fault.\n\n```python\n{code}\n```"),
    ("add-types", "Add type hints to the code and return it whole.\n\n```python\n{code}\n```"),
    ("write-tests", "Write two unit tests with pytest for:\n```python\n{code}\n```"),
    ("explain-code", "What does the following function do, step by step?\n\n{code}"),
    ("sql-writer", "Write one SQL query that lists {field} and {field} of the table {function}."),
    ("regex-writer", "Write a regular expression that matches the {field} in: {sentence}"),
    ("rename", "Suggest a better name for this function and say why:\n{code}"),
    ("rag-answer", "Use only the context to answer.\n\nContext:\n{text}\n\nQuestion: what about the {thing}?"),
    ("faq", "A visitor of our page asks: where can I buy a {thing} near {place}?"),
    ("quiz", "Make a quiz question with four answers out of this fact: {sentence}"),
    ("compare", "Compare the {thing} with the {thing} for somebody who travels a lot."),
    ("true-or-false", "True or false, and why? {sentence}"),
    ("next-step", "Goal: repair the {thing} of {person}\nDone so far: {sentence}\nWhat is the next step?"),
    ("plan-trip", "Plan a day in {place} for {person}, who has {number} euros to spend."),
    ("formal-tone", "Rewrite the sentence in a formal tone: {sentence}"),
    ("grammar", "Correct the grammar of this paragraph and mark the changes.\n\n{text}"),
)  # fmt: skip
"""Name and prompt of those with nothing special about them."""

_ODD = (TRIAGE, DOSES, INCIDENTS, ORDERS, HANDBOOKS, CLERKS, REPLIES)
ROUTINES: tuple[Routine, ...] = (
    *_ODD,
    *(
        Routine(name, prompt, wire)
        for (name, prompt), wire in zip(PLAIN, cycle(WIRES), strict=False)
    ),
)
