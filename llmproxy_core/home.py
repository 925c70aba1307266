"""The home folder: LLMPROXY_HOME, else the platform's user data folder.

    keys/fingerprint.key   32 random bytes, 0600
    spool/<writer>/*.seg   what the proxies have seen and the worker has not stored yet
    spool/wake             a FIFO by which a proxy wakes the worker
    postgres/              the embedded database
    ca-bundle.pem          certifi's roots and our CA, for the programs we start
    proxy.json             where the last started proxy listens
    rulebook.json          the rules of the tables, for the proxy
    prefixes               with which prefix conversations began
    experiments            in which experiments conversations began
    instant                a socket on which the worker improves requests that wait
    limits.counts          what limits and budgets have counted
    limits.levels.<pid>    how far the limits are used up, as a proxy tells it
    approvals              what people have decided of calls that wait, for the proxy
    usual                  what calls are usually like, for the worker
    advisor/               what the advisor has spent and answered
    worker.lock, worker.log

Folders are 0700, files 0600.
"""

import errno
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from llmproxy_core.errors import HomeError


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def wake(self) -> Path:
        return self.spool / "wake"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def ca_bundle(self) -> Path:
        return self.path / "ca-bundle.pem"

    @property
    def prefixes(self) -> Path:
        return self.path / "prefixes"

    @property
    def experiments(self) -> Path:
        return self.path / "experiments"

    @property
    def instant(self) -> Path:
        return self.path / "instant"

    @property
    def limits(self) -> Path:
        return self.path / "limits.counts"

    @property
    def levels(self) -> Path:
        """Of all proxies; the file of one has its process id behind it."""
        return self.path / "limits.levels"

    @property
    def approvals(self) -> Path:
        return self.path / "approvals"

    @property
    def usual(self) -> Path:
        return self.path / "usual"

    @property
    def advisor(self) -> Path:
        return self.path / "advisor"

    @property
    def proxy_state(self) -> Path:
        return self.path / "proxy.json"

    @property
    def rulebook(self) -> Path:
        return self.path / "rulebook.json"

    @property
    def worker_lock(self) -> Path:
        return self.path / "worker.lock"

    @property
    def worker_log(self) -> Path:
        return self.path / "worker.log"

    def fingerprint_key(self) -> bytes:
        """The key of this home's fingerprints, made on first use."""
        file = self.path / "keys" / "fingerprint.key"
        try:
            private_folder(file.parent)
            try:
                return _complete(file)
            except FileNotFoundError:
                return _create_key(file)
        except OSError as exc:
            raise _unusable(file, exc) from exc


def open_home() -> Home:
    """The home folder, created where it is missing.

    Raises:
        HomeError: it cannot be created or written.
    """
    named = os.environ.get("LLMPROXY_HOME")
    try:
        path = Path(named).expanduser().absolute() if named else user_data_path("llmproxy")
    except RuntimeError:
        raise HomeError(f"LLMPROXY_HOME={named}: the user after ~ is not known here") from None
    try:
        private_folder(path)
        if os.geteuid() and path.stat().st_uid not in (0, os.geteuid()):
            raise PermissionError(errno.EACCES, "it belongs to another user")
        private_folder(path / "spool")
        effective = os.access in os.supports_effective_ids
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=effective):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as exc:
        raise _unusable(path, exc) from exc
    return Home(path)


def private_folder(path: Path) -> Path:
    """Make a folder only its owner can enter; an existing one is left as it is."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once, so that no reader sees half of it; 0600."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _create_key(file: Path) -> bytes:
    """Two processes may come here at once: the link decides whose key it is."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    write_private(temporary, secrets.token_bytes(32))
    try:
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return _complete(file)


def _complete(file: Path) -> bytes:
    key = file.read_bytes()
    if len(key) != 32:
        raise HomeError(f"{file}: not a key of 32 bytes; move it away to have a new one made")
    return key


def _unusable(path: Path, exc: OSError) -> HomeError:
    return HomeError(
        f"{path}: {exc.strerror or exc}. Give this user the folder, "
        "or name another one in LLMPROXY_HOME."
    )


def actor() -> str:
    """Who runs this process, for the audit."""
    import getpass  # it brings termios and more, which the proxy does not need

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
