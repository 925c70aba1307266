from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

AT_THE_START = (
    ("advisor/advisor.py", "__init__"),
    ("limits/ledger.py", "__init__"),
    ("limits/ledger.py", "_open"),
)


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[None]:
    """But for what is done once, before there is a loop that others wait for."""
    with blockbuster_ctx("llmproxy_core") as blocked:
        for function in blocked.functions.values():
            for place in AT_THE_START:
                function.can_block_in(*place)
        yield
