"""A provider that is not one: answers in every format we read, without a key or a network.

    with Simulator() as provider:
        httpx.post(f"{provider.http_url}/v1/chat/completions", json={...})

The same request gets the same bytes. `controls.py` tells how to make it slow, broken or rude;
`redirect.py` makes mitmproxy send api.openai.com and the others here.
"""

from llmproxy_core.simulator.controls import Controls
from llmproxy_core.simulator.handler import Seen
from llmproxy_core.simulator.server import Simulator

__all__ = ["Controls", "Seen", "Simulator"]
