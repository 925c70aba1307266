"""Where the corpora are: beside the checkout, or where LLMPROXY_CORPORA says."""

import os
from pathlib import Path

CORPORA = Path(os.environ.get("LLMPROXY_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))
