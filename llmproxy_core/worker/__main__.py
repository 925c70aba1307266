"""`python -m llmproxy_core.worker`: the worker as a process of its own."""

import argparse
import logging
import signal
import sys

from llmproxy_core import config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import open_home
from llmproxy_core.worker import log, run

logger = logging.getLogger("llmproxy_core.worker")


def main() -> int:
    parser = argparse.ArgumentParser("llmproxy worker", description="Store what the proxies saw.")
    parser.add_argument("--once", action="store_true", help="store what is there now, then end")
    parser.add_argument(
        "--child", action="store_true", help="end when standard input does; a proxy starts it so"
    )
    options = parser.parse_args()
    log.start()
    if options.child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the proxy, whose end is ours
    try:
        home = open_home()
        settings = config.load(home=home.path)
        return run(settings, home, once=options.once, stop_when_stdin_closes=options.child)
    except (LlmproxyError, OSError) as exc:
        logger.error(str(exc))
        return 2


if __name__ == "__main__":
    sys.exit(main())
