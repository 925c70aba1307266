"""`llmproxy proxy`: the same as `mitmdump -s addons/`, from any folder."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import typer

from llmproxy_core.errors import ClientError


def proxy(context: typer.Context) -> None:
    """Run the proxy: `mitmdump -s addons/`, from any folder.

    All further arguments go to mitmdump. Where it listens is in mitm.toml ([proxy]).

    \b
    Example:
      llmproxy proxy
      llmproxy proxy -p 9090 --mode reverse:https://api.openai.com
    """
    mitmdump = find_program("mitmdump")
    arguments = [mitmdump, "-s", str(addons_folder()), *context.args]
    sys.stdout.flush()
    os.execv(mitmdump, arguments)  # noqa: S606 - becomes mitmdump, so that signals reach it


def addons_folder() -> Path:
    """Of the checkout or of the installed package."""
    found = find_spec("addons")
    for place in (found.submodule_search_locations or []) if found else []:
        if (Path(place) / "__init__.py").is_file():
            return Path(place)
    raise ClientError("the package `addons` is missing: install llmproxy again")


def find_program(name: str) -> str:
    """Beside this Python first, so that it is the one our addons were installed for."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if not found:
        raise ClientError(f"{name} is missing: install mitmproxy again")
    return found
