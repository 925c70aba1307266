"""An experiment of two arms, and requests as clients send them."""

import pytest

from llmproxy_core.experiments.experiment import Experiment, Variant


@pytest.fixture
def draft() -> Experiment:
    """Half of the conversations get `short`; none is held out."""
    return Experiment(
        id="0199-e",
        name="shorter answers",
        variants=(Variant("short", ({"op": "append_system", "text": "Be brief."},)),),
        shares={"control": 0.5, "short": 0.5},
    )
