"""Frames of a WebSocket's client: which of them say anything, and what was done to several."""

from llmproxy_core import turns
from llmproxy_core.records import Enhanced

SOUND = (b"input_audio_buffer.", b"output_audio_buffer.")
LIVE_SOUND = (b"realtimeInput", b"realtime_input")
TOGETHER = frozenset({turns.REALTIME, turns.LIVE})
"""Formats in which no frame repeats what the ones before said: all of a session is one
conversation."""


def says(wire: str, frame: bytes) -> bool:
    """Sound comes fifty times a second, and nothing can be changed in it."""
    if wire == turns.LIVE:
        first = turns.KEY.match(frame)
        return first is None or first[1] not in LIVE_SOUND or b'"text"' in frame
    kind = turns.TYPE.match(frame)
    return kind is None or not kind[1].startswith(SOUND)


def joined(before: Enhanced | None, after: Enhanced | None) -> Enhanced | None:
    """Of frames that become one request together."""
    if before is None or after is None:
        return after or before
    return Enhanced(
        applied=list(dict.fromkeys(before.applied + after.applied)),
        failed=list(dict.fromkeys(before.failed + after.failed)),
        arms=after.arms or before.arms,
        root=after.root or before.root,
        user=after.user or before.user,
        system=after.system or before.system,
        tools=after.tools or before.tools,
        kept=min(before.kept, after.kept),
    )
