"""An operation that is ready to be done."""

from collections.abc import Callable

from llmproxy_core.transformations.draft import Draft

type Action = Callable[[Draft], None]
"""Changes a draft. Raises Cannot; the draft is of no use then."""
