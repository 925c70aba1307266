"""The limits as the settings want them."""

from collections.abc import Callable

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.limits.limiter import Limiter
from llmproxy_core.limits.shared import SharedLimiter


def open_limiter(
    settings: Config, home: Home, tell: Callable[[str], None]
) -> Limiter | SharedLimiter:
    """The limiter of a proxy. `tell` hears what a person should know.

    A file that cannot be used is told and done without. Call `use` when `[[limits]]` changes, and
    run `keep_up` of one that is shared.

    Raises:
        ConfigError: `limiter.storage` wants a package that is not installed.
    """
    limiter = Limiter(settings.limits, home.limits)
    if limiter.fault:
        tell(f"{limiter.fault}: what limits have counted is forgotten when the proxy ends")
    if not settings.limiter.storage:
        return limiter
    return SharedLimiter(limiter, settings.limiter.storage, settings.limiter.when_away, tell)
