"""`llmproxy run` and `llmproxy env`: programs that use the proxy without knowing it."""

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import settings, warn

if TYPE_CHECKING:
    from llmproxy_core.clients.endpoint import Endpoint
    from llmproxy_core.home import Home

NOT_EXECUTABLE = 126
NOT_FOUND = 127

JavaOption = Annotated[
    bool, typer.Option("--java", help="Set JAVA_TOOL_OPTIONS, too (every JVM then prints it).")
]


class ShellName(StrEnum):
    sh = "sh"
    fish = "fish"
    powershell = "powershell"


def run(context: typer.Context, java: JavaOption = False) -> None:
    """Run a program with the environment in which it uses the proxy and trusts its CA.

    Ends with the program's own exit code; 3 if the proxy is not running.

    \b
    Example:
      llmproxy run -- python agent.py
      llmproxy run -- claude
    """
    from llmproxy_core.clients.endpoint import running_endpoint

    if not context.args:
        raise typer.BadParameter("name the program, as in: llmproxy run -- python agent.py")
    config, home = settings()
    proxy = running_endpoint(config, home)
    environment = os.environ | _variables(proxy, home, java)
    program = context.args[0]
    sys.stdout.flush()
    try:
        os.execvpe(program, context.args, environment)  # noqa: S606 - it takes our place
    except FileNotFoundError:
        warn(f"{program}: not found")
        raise typer.Exit(NOT_FOUND) from None
    except OSError as exc:
        warn(f"{program}: {exc.strerror}")
        raise typer.Exit(NOT_EXECUTABLE) from None


def env(
    shell: Annotated[
        ShellName | None, typer.Option(help="Default: from $SHELL, else sh.", show_default=False)
    ] = None,
    java: JavaOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="As an object.")] = False,
) -> None:
    """Print the environment in which programs use the proxy and trust its CA.

    \b
    Example:
      eval "$(llmproxy env)"
      llmproxy env --shell fish | source
      llmproxy env --shell powershell | Invoke-Expression
    """
    from llmproxy_core.cli.surroundings import print_json
    from llmproxy_core.clients.endpoint import endpoint
    from llmproxy_core.clients.environment import script

    config, home = settings()
    proxy = endpoint(config, home)
    if proxy.pid is None:
        warn(f"note: no proxy runs yet; start it with `llmproxy proxy` ({proxy.host}:{proxy.port})")
    wanted = _variables(proxy, home, java)
    if as_json:
        print_json(wanted)
    else:
        # a path need not be UTF-8
        sys.stdout.buffer.write(os.fsencode(script(wanted, (shell or _shell()).value)))


def _variables(proxy: "Endpoint", home: "Home", java: bool) -> dict[str, str]:
    from llmproxy_core.clients.authority import ensure_authority
    from llmproxy_core.clients.bundle import ensure_bundle, ensure_java_truststore
    from llmproxy_core.clients.environment import java_variables, variables

    bundle = ensure_bundle(ensure_authority(proxy.confdir), home)
    wanted = variables(proxy, bundle, os.environ)
    if java:
        wanted |= java_variables(proxy, ensure_java_truststore(bundle), os.environ)
    return wanted


def _shell() -> ShellName:
    name = os.path.basename(os.environ.get("SHELL", ""))
    return {"fish": ShellName.fish, "pwsh": ShellName.powershell}.get(name, ShellName.sh)
