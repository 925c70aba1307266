from typing import Any

import pytest

from llmproxy_core.enhancing.enhancer import Enhancer
from tests.unit.enhancing import handing


@pytest.fixture(scope="package")
def learnt() -> tuple[dict[str, Any], dict[str, str]]:
    """Patterns as they are handed over, and the id of one of each kind."""
    return handing.learnt()


@pytest.fixture
def enhancer() -> Enhancer:
    return handing.enhancer()
