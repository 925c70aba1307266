"""`llmproxy cert`: the CA, and how to trust it."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import print_json, settings, warn

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
The CA:      {ca}
The bundle:  {bundle}  (all usual roots and the CA)

Nothing to do for programs started with `llmproxy run -- …` or after `eval "$(llmproxy env)"`.
For all others on this machine:

  {install}

Java, Firefox, Chrome, containers and the rest: certs/README.md of the project.
Whoever has {key} can read the TLS traffic of
those who trust this CA: keep it to yourself.
"""


def cert(
    install: Annotated[
        bool, typer.Option("--install", help="Put it into the system's trust store (needs root).")
    ] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take it out again.")] = False,
    path: Annotated[
        bool, typer.Option("--path", help="Print the CA's file, nothing else.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Files and state as an object.")] = False,
) -> None:
    """Show where the CA is and how programs come to trust it; make it if it is missing.

    \b
    Example:
      llmproxy cert
      llmproxy cert --install     (as root, or it tells what to run with sudo)
      docker cp "$(llmproxy cert --path)" web:/usr/local/share/ca-certificates/llmproxy.crt
    """
    from llmproxy_core.clients.authority import ensure_authority
    from llmproxy_core.clients.bundle import ensure_bundle
    from llmproxy_core.clients.endpoint import endpoint

    if install and uninstall:
        raise typer.BadParameter("--install or --uninstall, not both")
    config, home = settings()
    ca_file = ensure_authority(endpoint(config, home).confdir)
    if install or uninstall:
        if os.environ.get("SUDO_USER"):
            warn(f"note: under sudo this is the CA of root: {ca_file}")
        _change_system(ca_file, install)
        return
    if path:
        typer.echo(ca_file)
        return
    bundle = ensure_bundle(ca_file, home)
    key = ca_file.with_name("mitmproxy-ca.pem")
    if as_json:
        print_json({"ca": str(ca_file), "bundle": str(bundle), "key": str(key)})
        return
    typer.echo(TEXT.format(ca=ca_file, bundle=bundle, key=key, install=_instruction(ca_file)))


def _change_system(ca_file: "Path", install: bool) -> None:
    from llmproxy_core.clients import trust

    store = trust.system_store()
    change = store.install if install else store.uninstall
    trust.carry_out(change(ca_file))
    done = "is now trusted by" if install else "was taken out of the trust store of"
    typer.echo(f"{ca_file} {done} this system ({store.system}).")


def _instruction(ca_file: "Path") -> str:
    from llmproxy_core.clients.trust import commands_by_hand, system_store
    from llmproxy_core.errors import ClientError

    try:
        return commands_by_hand(system_store().install(ca_file))
    except ClientError as exc:
        return str(exc)
