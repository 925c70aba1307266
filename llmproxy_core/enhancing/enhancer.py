"""What becomes of each request of a proxy before it is sent. Not thread-safe; one a proxy.

The same is done on every turn of a conversation: in which experiments it is, and which patterns it
has, is decided at its first request, and remembered by what it is known by (`experiments.roots`).
"""

from pathlib import Path

import msgspec

from llmproxy_core.enhancing.call import Call, Instant, Made, Place
from llmproxy_core.enhancing.drawing import Drawn, begins, drawn
from llmproxy_core.enhancing.improving import Improving
from llmproxy_core.enhancing.instant import Question
from llmproxy_core.enhancing.kept import prefix_kept
from llmproxy_core.enhancing.prompt import Prompt, first_prompt, prompt
from llmproxy_core.enhancing.recognised import NONE, Patterns, Recognised
from llmproxy_core.enhancing.trials import VARIANT
from llmproxy_core.experiments.begun import Begun
from llmproxy_core.experiments.roots import Root, root
from llmproxy_core.hashing import Hash
from llmproxy_core.namespace.opening import answer_key
from llmproxy_core.namespace.whole import Fields, fields_of
from llmproxy_core.records import Enhanced
from llmproxy_core.spans.recent import Recent
from llmproxy_core.transformations.rules import Outcome, done
from llmproxy_core.transformations.transformation import Transformation

MOST = 50_000
"""Keys of conversations whose patterns are remembered, at least: about 20 MB for twice as many."""


class Enhancer:
    """Fails open where the file cannot be written: it is only remembered. `waits`: are questions
    asked while requests wait?"""

    def __init__(self, file: Path | None, now: float, *, waits: bool = False) -> None:
        """`file`: of `experiments.begun`. `now`: seconds since 1970."""
        self.waits = waits
        self._begun = Begun(file, now)
        self._patterns: Recent[Hash, Patterns] = Recent(MOST)
        self._instant: Recent[Hash, Instant] = Recent(MOST)

    def question(self, improving: Improving, call: Call) -> Question | None:
        """What is to be asked before this request is sent, by which a conversation begins. None:
        nothing, or it was asked before."""
        fields = fields_of(call.body)
        known = _root(call, fields)
        if known.elsewhere or any(self._instant.get(key) for key in known.keys):
            return None
        patterns = self._recognise(improving, call, fields, known)
        if not patterns.user:
            return None
        said = prompt(call.wire, call.path, fields, call.body)
        if not known.begins:
            said = first_prompt(call.wire, call.path, fields)
        keys = known.keys
        return Question(call.namespace, call.wire, patterns.user, said.system, said.user, keys)

    def remember(self, question: Question, change: Transformation | None) -> None:
        """What was answered to a question holds for all of the conversation."""
        for key in question.keys:
            self._instant[key] = Instant(change)

    def request(self, improving: Improving, call: Call, now: float) -> Made:
        trials = improving.trials.get(call.namespace, ())
        asks, known = improving.asks_patterns(call.namespace), None
        patterns = NONE
        if trials or asks or self.waits:
            fields = fields_of(call.body)
            known = _root(call, fields)
            if asks:
                patterns = self._recognise(improving, call, fields, known)
        facts = call.tell(improving.asked) | {"wire": call.wire}
        told = [facts | one for one in improving.facts(call.namespace, patterns)]
        rules = improving.matching(call.wire, told)
        if known is None:
            return _made(call, None, rules, Enhanced(), None)

        def matching() -> tuple[str, ...]:
            return tuple(one.id for one in trials if begins(one, improving, call, patterns, told))

        conversation = self._begun.find(known, now, matching) if trials else None
        place = Place(conversation, patterns, self._answer(known))
        arms = drawn(trials, place, improving.winners, call.wire)
        return _placed(call, fields, rules, arms, place)

    def answered(self, id: str, place: Place) -> None:
        """An answer was given under an id that later requests may name."""
        if place.conversation is not None:
            self._begun.answered(id, place.conversation)
        if place.patterns != NONE:
            self._patterns[answer_key(id)] = place.patterns
        if place.instant is not None:
            self._instant[answer_key(id)] = place.instant

    def close(self) -> None:
        self._begun.close()

    def _answer(self, known: Root) -> Instant | None:
        """What the advisor has said at the beginning of the conversation."""
        if not self.waits:
            return None
        found = next((one for key in known.keys if (one := self._instant.get(key))), None)
        if found is not None and self._instant.get(known.keys[0]) is None:
            self._instant[known.keys[0]] = found
        return found

    def _recognise(self, improving: Improving, call: Call, fields: Fields, known: Root) -> Patterns:
        """Those that the conversation began with."""
        found = next((one for key in known.keys if (one := self._patterns.get(key))), None)
        again = known.begins and (call.unit or not known.lasting)
        if found is None or (again and not found.user):
            found = _read(improving, call, fields, known)
        for key in known.keys:
            if self._patterns.get(key) != found:
                self._patterns[key] = found
        return found


def _root(call: Call, fields: Fields) -> Root:
    if call.unit:
        return Root(call.unit, (call.unit,), begins=True, lasting=True)
    # what two namespaces say in the same words are two conversations, too
    user = call.user if call.namespace == "default" else f"{call.namespace}\0{call.user}"
    return root(call.wire, call.headers, fields, call.body, user)


def _read(improving: Improving, call: Call, fields: Fields, known: Root) -> Patterns:
    there = improving.known(call.namespace)
    said = Prompt()
    user = ""
    if not known.begins and not known.elsewhere:  # it was under way before we knew it
        said = first_prompt(call.wire, call.path, fields)
        user = there.user(said.user)
    if not user:
        said = prompt(call.wire, call.path, fields, call.body)
        user = there.user(said.user)
    return Patterns(user, *_versions(improving, call, fields, there, said.system))


def _versions(
    improving: Improving, call: Call, fields: Fields, there: Recognised, system: str
) -> tuple[str, str]:
    """The patterns of the system prompt and of the tools, if anybody asks."""
    asks = improving.asks_kind
    return (
        there.system(system) if asks("system", call.namespace) else "",
        there.tools(call.wire, fields, call.body) if asks("tools", call.namespace) else "",
    )


def _placed(
    call: Call, fields: Fields, rules: list[Transformation], arms: Drawn, place: Place
) -> Made:
    """What becomes of a request whose conversation is known."""
    conversation, patterns = place.conversation, place.patterns
    if arms.rules:
        rules = sorted([*rules, *arms.rules], key=_order)
    enhanced = Enhanced(
        arms=arms.arms,
        root=conversation.root if conversation is not None and arms.arms else b"",
        user=patterns.user,
        system=patterns.system,
        tools=patterns.tools,
    )
    return _made(call, fields, [*rules, *arms.changes], enhanced, place)


def _order(one: Transformation) -> tuple[int, str]:
    return one.settings.order, one.name


def _made(
    call: Call,
    fields: Fields | None,
    rules: list[Transformation],
    enhanced: Enhanced,
    place: Place | None,
) -> Made:
    if not rules:
        outcome = Outcome(call.body, call.path, call.headers)
        return Made(outcome, enhanced if enhanced.says else None, place)
    outcome = done(call.wire, call.path, call.headers, call.body, rules, fields)
    enhanced = msgspec.structs.replace(
        enhanced,
        applied=[name for name in outcome.done if not name.startswith(VARIANT)],
        failed=[(one.name, one.said) for one in outcome.left],
        kept=_kept(call, outcome),
    )
    return Made(outcome, enhanced, place)


def _kept(call: Call, outcome: Outcome) -> float:
    if outcome.path.partition("?")[0] != call.path.partition("?")[0]:
        return 0.0  # another model
    return prefix_kept(call.body, outcome.edits, outcome.places) if outcome.edits else 1.0
