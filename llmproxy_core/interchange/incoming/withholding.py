"""An exchange of a file of which no text is to be kept, as the proxy would have written it."""

from msgspec.structs import replace

from llmproxy_core.masking.keeper import Keeper
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.records import Closed, Opened
from llmproxy_core.withholding import bare_heads
from llmproxy_core.withholding.unsaid import SKELETON
from llmproxy_core.withholding.withheld import Withheld


def withheld(
    opened: Opened, closed: Closed, bodies: list[bytes]
) -> tuple[Opened, Closed, list[bytes]]:
    """What is written of them; hashes and sizes stay those of the bodies."""
    keeper: Keeper = Withheld(opened.wire)
    if opened.wire in FRAMED:
        keeper = keeper.frames()
    asked = keeper.request(opened.headers, bodies[0], cut=opened.body_kept != "full")
    answered = b""
    if closed.answer is not None:
        keeper.answer(closed.answer.status, closed.answer.headers)
        answered = keeper.feed(bodies[1]) if bodies[1] else b""
        answered += keeper.finish(complete=closed.ending == "complete")
    opened = replace(
        opened,
        path=bare_heads.path(opened.path),
        headers=bare_heads.headers(opened.headers),
        body_kept=SKELETON,
        kept_bytes=len(asked),
    )
    closed = replace(
        closed,
        answer=bare_heads.answer(closed.answer) if closed.answer is not None else None,
        trailers=bare_heads.trailers(closed.trailers),
        body_kept=SKELETON,
        kept_bytes=len(answered),
        marks=[(len(answered), 0)] if answered else [],
    )
    return opened, closed, [asked, answered]
