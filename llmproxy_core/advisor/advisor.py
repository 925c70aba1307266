"""Ask Claude, through OpenRouter, and get an answer of a known shape, or none.

Whoever asks must do without an answer: there is none without a key, over the budget, while
OpenRouter is away, and where the model does not keep to the shape.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

import httpx
from pydantic import BaseModel, ValidationError

from llmproxy_core.advisor.answers import AnswerFiles, Answers
from llmproxy_core.advisor.line import VARIABLE, Line, has_key, without_key
from llmproxy_core.advisor.wire import Reply, Said, json_in, question
from llmproxy_core.breaker import Breaker
from llmproxy_core.config import AdvisorConfig, LimitConfig
from llmproxy_core.home import Home, private_folder
from llmproxy_core.limits import Amount, Call, Limiter, Refusal
from llmproxy_core.pricing.rates import rates

VERSION = "1"
"""Of what is asked; another one asks all anew."""
AT_ONCE = 4
SENDINGS = 3
"""Of one question, where the other side is busy or away."""
CORRECTIONS = 1
FAILURES, SECONDS, LONGEST = 5, 30.0, 900.0
HOPELESS = frozenset({401, 402, 404})
"""It is the key, the credit or the model that is wrong."""
HOPELESS_SECONDS = 600.0
RULE = "Answer with one JSON object that fits this schema, and nothing else:"
OURS = -1
"""In place of a status: it was not sent."""
PAUSE = 0.5
BYTES = 3
"""Of a token at least, in the mean."""
DEAR = (15e-6, 75e-6)
"""USD for a token read and written, of a model whose price is not known."""
MEMBER = Call(provider="openrouter")

type Mask = Callable[[str], str]

logger = logging.getLogger("llmproxy")


class Advisor:
    """`mask` replaces what is secret in a text; all that is sent has passed it.

    `said` tells why the last question has no answer. To make one reads files and the price list
    (0.5 s); not to be done on a loop that others wait for.

    Raises:
        AdvisorError: `http` would go through a proxy.
    """

    def __init__(
        self,
        settings: AdvisorConfig,
        home: Home,
        mask: Mask,
        http: httpx.AsyncClient | None = None,
        answers: Answers | None = None,
    ) -> None:
        self.said = ""
        self._fault = ""
        self._settings = settings
        self._mask = mask
        self._line = Line(settings.base_url, http)
        folder = private_folder(home.advisor)
        self._answers = answers or AnswerFiles(folder / "answers", settings.cache_days)
        budget = LimitConfig(name="advisor", usd_per_day=settings.budget_usd_per_day)
        self._budget = Limiter([budget], folder / "spent")
        self._breaker = Breaker(FAILURES, SECONDS, LONGEST)
        self._rates = rates("openrouter", settings.model) or DEAR
        self._room = asyncio.Semaphore(AT_ONCE)
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def spent_today(self) -> float:
        """USD, of all processes of the home; of a call whose price was not told, the most."""
        return self._budget.levels(MEMBER)[0].used

    @property
    def model(self) -> str:
        return self._settings.model

    async def ask[T: BaseModel](
        self, kind: str, prompt: str, schema: type[T], system: str = ""
    ) -> T | None:
        """The answer, checked; None: there is none, and `said` tells why.

        `kind` names the sort of question, in letters, for the cache and the log. The same question
        is asked and paid for once. Takes no longer than `timeout_seconds`. Raises nothing but what
        a wrong `schema` does.
        """
        if not self._settings.enabled:
            self._say("the advisor is switched off (advisor.enabled)")
            return None
        shape = schema.model_json_schema()
        rule = f"{RULE}\n{json.dumps(shape)}"
        instructions, asked = self.masked(f"{system}\n\n{rule}".strip()), self.masked(prompt)
        if instructions is None or asked is None:
            return None
        said = [_message("system", instructions), _message("user", asked)]
        key = _key(VERSION, self._settings.model, self._settings.base_url, kind, json.dumps(said))
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:
            answer = await self._known(key, schema)
            if answer is None and self._is_open():
                answer = await self._in_time(lambda: self._valid(kind, said, schema, shape))
                if answer is not None:
                    await self._answers.put(key, answer.model_dump_json())
            return answer

    async def close(self) -> None:
        await self._line.close()
        self._budget.close()

    def masked(self, text: str) -> str | None:
        """The text as it may be sent; None: it could not be masked."""
        try:
            text = without_key(self._mask(text))
        except Exception as exc:  # noqa: BLE001  fails closed: what is not masked is not sent
            self.said = f"the text could not be masked ({type(exc).__name__})"
            return None
        return text.encode("utf-8", "replace").decode()

    async def _known[T: BaseModel](self, key: str, schema: type[T]) -> T | None:
        kept = await self._answers.get(key)
        try:
            return None if kept is None else schema.model_validate_json(kept)
        except ValidationError:
            return None

    def _is_open(self) -> bool:
        if not has_key():
            self._say(f"there is no key in the environment ({VARIABLE})")
        elif wait := self._breaker.wait:
            self._say(f"OpenRouter is left alone for {wait:.0f} s: {self._fault}")
        else:
            return True
        return False

    async def _in_time[A](self, ask: Callable[[], Awaitable[A | None]]) -> A | None:
        seconds = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds), self._room:
                return await ask()
        except TimeoutError:
            self._fault = f"no answer within {seconds:g} s"
            self._breaker.failed()
            self._say(self._fault)
            return None

    async def _valid[T: BaseModel](
        self, kind: str, said: Said, schema: type[T], shape: dict[str, Any]
    ) -> T | None:
        """The answer in its shape; one that is not is sent back once, with what is wrong."""
        for _ in range(1 + CORRECTIONS):
            reply = await self._sent(kind, said, shape)
            if not reply.text:
                self._say(reply.error)
                return None
            try:
                return schema.model_validate_json(json_in(reply.text))
            except ValidationError as exc:
                wrong = _mistakes(exc)
            written = self.masked(reply.text)
            correction = self.masked(f"That does not fit the schema: {wrong}")
            if written is None or correction is None:
                return None
            said = [*said, _message("assistant", written), _message("user", correction)]
        self._say(f"the model does not keep to the schema: {wrong}")
        return None

    async def _sent(self, kind: str, said: Said, shape: dict[str, Any]) -> Reply:
        settings = self._settings
        body = question(settings.model, kind, said, shape, settings.max_output_tokens)
        read = len(json.dumps(body)) / BYTES
        most = read * self._rates[0] + settings.max_output_tokens * self._rates[1]
        for sending in range(1, SENDINGS + 1):
            reply = await self._paid(body, most)
            if not self._told(reply) or sending == SENDINGS or self._breaker.wait:
                break
            await asyncio.sleep(max(reply.wait, PAUSE * 2 ** (sending - 1)))
        return reply

    async def _paid(self, body: dict[str, Any], most: float) -> Reply:
        """One sending. What it costs is set aside before; of what is cut off it counts as spent."""
        reserved = self._budget.reserve(MEMBER, Amount(0.0, most))
        if isinstance(reserved, Refusal):
            budget = self._settings.budget_usd_per_day
            return Reply(OURS, error=f"the budget of {budget:g} USD a day is used up")
        if not self._breaker.may_ask():
            self._budget.release(reserved)
            return Reply(OURS, error=f"OpenRouter is left alone for a while: {self._fault}")
        spent = None
        try:
            reply = await self._line.ask(body)
            spent = None if reply.usd is None else Amount(0.0, reply.usd)
        finally:
            self._budget.settle(reserved, spent)
        return reply

    def _told(self, reply: Reply) -> bool:
        """Keep the books of failures; is it worth sending the same again?"""
        if reply.status == OURS:
            return False
        if reply.status == 200:
            self._breaker.succeeded()
            return False
        self._fault = self._clean(reply.error)
        if reply.status in HOPELESS:
            self._breaker.failed(HOPELESS_SECONDS)
            return False
        if reply.status and not reply.is_passing:
            self._breaker.succeeded()  # it answers; this question it does not want
            return False
        fits = reply.wait < self._settings.timeout_seconds / 2
        self._breaker.failed(0.0 if fits else reply.wait)
        return fits

    def _say(self, reason: str) -> None:
        self.said = self._clean(reason)
        logger.info(f"advisor: {self.said}")

    def _clean(self, reason: str) -> str:
        """What others said, fit for a log."""
        reason = self.masked(reason) or "a reason that could not be masked"
        return reason if reason.isprintable() else ascii(reason)


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _mistakes(exc: ValidationError) -> str:
    """What does not fit, without what stood there."""
    errors = exc.errors(include_url=False, include_input=False, include_context=False)
    told = (
        f"{'.'.join(map(str, error['loc'])) or 'the whole'}: {error['msg']}" for error in errors
    )
    return "; ".join(told)[:1000]


def _key(*words: str) -> str:
    return blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
