"""`python -m llmproxy_core.simulator`: the simulated provider by itself, until Ctrl-C."""

import argparse
import json
import signal
import sys
from dataclasses import fields

from llmproxy_core.simulator import Controls, Simulator
from llmproxy_core.simulator.controls import WORDS, ControlError, controls

EPILOG = f"""
requests may carry  x-simulate: key=value,...  with the keys
  {", ".join(field.name for field in fields(Controls))}
or words in the model name, such as gpt-5-sim-slow:
  {", ".join(f"sim-{word}" for word in WORDS)}

example:
  python -m llmproxy_core.simulator --http-port 9000 --simulate delay=40
  curl http://127.0.0.1:9000/v1/chat/completions -d '{{"model": "gpt-5", "messages": []}}'
"""


def main() -> int:
    arguments = _parser().parse_args()
    try:
        default = controls(arguments.simulate, "", Controls())
        with Simulator(arguments.http_port, arguments.https_port, default=default) as provider:
            print(  # noqa: T201
                json.dumps(
                    {
                        "http": provider.http_url,
                        "https": provider.https_url,
                        "ca_file": str(provider.ca_file),
                    }
                ),
                flush=True,
            )
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except (ControlError, OSError) as exc:
        print(f"simulator: {exc}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m llmproxy_core.simulator",
        description="A simulated LLM provider on 127.0.0.1. Prints its addresses as JSON.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--http-port", type=int, default=0, help="0: the system chooses")
    parser.add_argument("--https-port", type=int, default=0, help="0: the system chooses")
    parser.add_argument("--simulate", metavar="KEY=VALUE,...", help="for requests that do not say")
    return parser


if __name__ == "__main__":
    sys.exit(main())
