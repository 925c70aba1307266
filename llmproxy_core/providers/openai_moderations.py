"""`openai.moderations`: POST /moderations; what was found is told in one line a verdict.

Source: https://platform.openai.com/docs/api-reference/moderations
"""

from llmproxy_core.model import Message, Part, Request, mapping, text_of
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, items
from llmproxy_core.providers.openai_completions import prompts
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"input"})


class OpenAIModerations:
    def request(self, body: Body, path: str) -> Request:
        given = body.get("input")
        parts = prompts(given)
        for item in items(given):
            if url := text_of(mapping(item.get("image_url")).get("url")):
                parts.append(Part("image", attachment(url)))
        return Request(
            model=text_of(body.get("model")) or None,
            messages=[Message("user", parts)] if parts else [],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.choice()
        into.id = text_of(body.get("id")) or None
        into.model = text_of(body.get("model")) or None
        for result in items(body.get("results")):
            found = [name for name, yes in mapping(result.get("categories")).items() if yes is True]
            flagged = ", ".join(found) or "yes"
            into.part(Part("other", f"flagged: {flagged if result.get('flagged') else 'no'}"))

    def event(self, name: str, event: Body, into: Assembler) -> None:
        self.answer(event, into)
        into.closed = True
