"""JSON without spaces, as most servers write it."""

import json
from typing import Any


def compact(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
