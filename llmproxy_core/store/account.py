"""The account under which the embedded Postgres runs where we are root: Postgres refuses root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from llmproxy_core.errors import StoreError

NAME = "llmproxy"


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """None if we are not root; else who owns the data folder, or shall own it.

    Raises:
        StoreError: there is no unprivileged account at all.
    """
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    if owner:
        return _owner(owner)
    return _named(NAME) or _created() or _nobody()


def run_as(
    account: Account | None, command: list[str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a program in `folder`, under `account` or as we are; its output is captured.

    The account need not be able to enter the parents of `folder`.
    """
    if account is None:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )


def _created() -> Account | None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _named(NAME)


def _nobody() -> Account:
    account = _named("nobody")
    if account is None:
        raise StoreError(
            "The embedded Postgres cannot run as root, and there is no account for it. "
            f"Make one (useradd --system {NAME}), or name a PostgreSQL in database.url."
        )
    return account


def _named(name: str) -> Account | None:
    try:
        return _account(pwd.getpwnam(name))
    except KeyError:
        return None


def _owner(uid: int) -> Account:
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        return Account(str(uid), uid, uid)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
