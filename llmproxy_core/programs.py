"""Which program on this machine is at the other end of a connection. Linux only, best effort."""

import os
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

PROC = Path("/proc")


def program_of(peer: tuple[object, ...] | None) -> str | None:
    """`python3 (pid 4711)` for a client's address on this machine; None if it cannot be told.

    Reads /proc: tens of milliseconds, so not on the event loop.
    """
    if not peer:
        return None
    with suppress(OSError, ValueError):
        inode = _inode(str(peer[0]), int(str(peer[1])))
        pid = _owner(inode) if inode else None
        if pid is not None:
            name = (PROC / str(pid) / "comm").read_text(errors="replace").strip()
            # a program names itself: nothing of it may obey a terminal
            shown = "".join(letter if letter.isprintable() else "?" for letter in name)
            return f"{shown} (pid {pid})"
    return None


def _inode(host: str, port: int) -> str | None:
    """The socket bound to an address, from /proc/net/tcp (proc_net_tcp in the kernel's docs)."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                address, _, hex_port = fields[1].partition(":")
                if int(hex_port, 16) == port and _same(address, host):
                    return fields[9]
    return None


def _same(hex_address: str, host: str) -> bool:
    """The kernel prints addresses as 32-bit words in the machine's byte order."""
    words = [hex_address[i : i + 8] for i in range(0, len(hex_address), 8)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    wanted = ip_address(host.partition("%")[0])
    return packed in (wanted.packed, b"\0" * 10 + b"\xff\xff" + wanted.packed)


def _owner(inode: str) -> int | None:
    wanted = f"socket:[{inode}]"
    for pid in _pids():
        with suppress(OSError):
            folder = PROC / str(pid) / "fd"
            for descriptor in os.listdir(folder):
                with suppress(OSError):
                    if os.readlink(folder / descriptor) == wanted:
                        return pid
    return None


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir(PROC) if name.isdigit())
