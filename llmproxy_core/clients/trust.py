"""Put the CA into the system's trust store, and take it out again."""

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from llmproxy_core.errors import ClientError

NAME = "llmproxy-mitmproxy"
KEYCHAIN = "/Library/Keychains/System.keychain"


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A folder of certificates, and the command that makes the system read it."""

    system: str
    folder: Path
    suffix: str
    refresh: tuple[str, ...]

    @property
    def file(self) -> Path:
        return self.folder / f"{NAME}{self.suffix}"

    def usable(self) -> bool:
        return self.folder.is_dir() and shutil.which(self.refresh[0]) is not None

    def install(self, ca_file: Path) -> list[list[str]]:
        return [["install", "-m", "644", str(ca_file), str(self.file)], [*self.refresh]]

    def uninstall(self, ca_file: Path) -> list[list[str]]:
        return [["rm", "-f", str(self.file)], [*self.refresh]]


@dataclass(frozen=True, slots=True)
class MacStore:
    system: str = "macOS"

    def usable(self) -> bool:
        return sys.platform == "darwin"

    def install(self, ca_file: Path) -> list[list[str]]:
        add = ["security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", KEYCHAIN]
        return [[*add, str(ca_file)]]

    def uninstall(self, ca_file: Path) -> list[list[str]]:
        return [["security", "remove-trusted-cert", "-d", str(ca_file)]]


type Store = FolderStore | MacStore

STORES: tuple[Store, ...] = (
    MacStore(),
    FolderStore(
        "Debian, Ubuntu, Alpine",
        Path("/usr/local/share/ca-certificates"),
        ".crt",
        ("update-ca-certificates",),
    ),
    FolderStore(
        "Fedora, RHEL",
        Path("/etc/pki/ca-trust/source/anchors"),
        ".pem",
        ("update-ca-trust", "extract"),
    ),
    FolderStore(
        "Arch",
        Path("/etc/ca-certificates/trust-source/anchors"),
        ".crt",
        ("update-ca-trust", "extract"),
    ),
    FolderStore("openSUSE", Path("/etc/pki/trust/anchors"), ".pem", ("update-ca-certificates",)),
)


def system_store() -> Store:
    """Raises ClientError where we do not know this system's."""
    for store in STORES:
        if store.usable():
            return store
    raise ClientError(
        "this system's trust store is not known to llmproxy. `llmproxy run` and `llmproxy env` "
        "need none; certs/README.md tells how to trust the CA by hand."
    )


def carry_out(commands: list[list[str]]) -> None:
    """Run the commands; all of them need root.

    Raises:
        ClientError: one failed; the text has the commands to run with sudo.
    """
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as exc:
            raise ClientError(f"{command[0]}: {exc.strerror}") from exc
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["failed"])[-1]
            raise ClientError(f"{reason}\nIt takes root. Run: {commands_by_hand(commands)}")


def commands_by_hand(commands: list[list[str]]) -> str:
    return " && ".join(f"sudo {shlex.join(command)}" for command in commands)
