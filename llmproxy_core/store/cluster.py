"""The data folder of the embedded Postgres: making it, and whose it is."""

import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path

from llmproxy_core.errors import StoreError
from llmproxy_core.store.account import Account, run_as
from llmproxy_core.store.binaries import MAJOR, Binaries

OWNER = "llmproxy"
"""The name of the role, and of the database."""


def prepare(data: Path, binaries: Binaries, account: Account | None) -> None:
    """Make the data folder if it is missing.

    Raises:
        StoreError: there is something else in it, or data of another version.
    """
    version = data / "PG_VERSION"
    if not version.exists():
        _create(data, binaries, account)
    found = version.read_text().strip()
    if found != MAJOR:
        raise StoreError(
            f"{data} holds data of PostgreSQL {found}, and this llmproxy brings {MAJOR}. "
            "Move the folder away, or install the version of llmproxy that made it."
        )


def argument(data: Path, account: Account | None) -> str:
    """How `-D` names the folder to a program that was started in it.

    Another account may not be able to pass the folder's parents, but it is there already.
    """
    return "/proc/self/cwd" if account and sys.platform == "linux" else str(data)


def own_folder(folder: Path, account: Account | None) -> None:
    """Make a 0700 folder of the server's account.

    Raises:
        StoreError: it is there, and somebody else's or open to others.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if account and folder.lstat().st_uid == 0:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    refuse_stranger(folder, account.uid if account else os.geteuid())


def refuse_stranger(folder: Path, owner: int) -> None:
    """Raises StoreError where it is no folder, not `owner`'s (a uid), or open to others."""
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != owner or state.st_mode & 0o077:
        raise StoreError(f"{folder}: not a private folder of ours; remove it.")


def _create(data: Path, binaries: Binaries, account: Account | None) -> None:
    """initdb in a folder beside it, then one rename: no half-made data after a kill."""
    if data.exists() and any(data.iterdir()):
        raise StoreError(
            f"{data}: not empty and not a Postgres data folder. Move it away, "
            "or name another home in LLMPROXY_HOME."
        )
    temporary = data.with_name("postgres.init")
    shutil.rmtree(temporary, ignore_errors=True)
    own_folder(temporary, account)
    command = [binaries.initdb, "-D", argument(temporary, account), "-U", OWNER]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8", "--no-instructions"]
    done = run_as(account, command, temporary)
    if done.returncode != 0:
        raise StoreError(f"{data}: initdb failed: {done.stderr.strip()}")
    temporary.rename(data)
