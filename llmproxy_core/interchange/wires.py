"""Names of wire formats and providers in files, and ours.

Where a format of ours has several names in files, its own name in a file is told from the path:
Google's method is part of it.
"""

import re

from llmproxy_core.turns import LIVE, REALTIME, RESPONSES

NAME = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}")
GEMINI = {
    ":generateContent": "gemini.generateContent",
    ":streamGenerateContent": "gemini.streamGenerateContent",
}
OURS = dict.fromkeys(GEMINI.values(), "gemini")
PROVIDERS = {"gemini": "google"}
SESSIONS = {
    "openai.realtime": REALTIME,
    "xai.realtime": REALTIME,
    "gemini.live": LIVE,
    "openai.responses.websocket": RESPONSES,
}
"""What the `api` of a WebSocket session may be."""
UNKNOWN = "other"


def ours(name: str) -> str:
    """Our name of a wire format that a file names; `other` if it is no name at all."""
    return OURS.get(name, name) if NAME.fullmatch(name.lower()) else UNKNOWN


def our_provider(name: str) -> str:
    return PROVIDERS.get(name, name) if NAME.fullmatch(name.lower()) else UNKNOWN


def exported(wire: str, path: str) -> str:
    """The name in exports: that of the format, with Google's method where it has several."""
    if wire != "gemini":
        return wire
    method = path.partition("?")[0].rpartition(":")[2]
    return GEMINI.get(f":{method}", wire)
