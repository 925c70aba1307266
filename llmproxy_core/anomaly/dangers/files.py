"""Commands that delete or overwrite files and disks."""

from llmproxy_core.anomaly.dangers.calls import Call
from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.finding import Severity
from llmproxy_core.anomaly.reading.places import DISK, breadth, credential, persistent

WIDE = {
    "everything": Danger(0.97, "critical", "deletes a folder that the system or every user needs"),
    "disk": Danger(0.97, "critical", "writes over a disk"),
    "home": Danger(0.95, "critical", "deletes a home folder"),
    "part": Danger(0.65, "high", "deletes a part of the system"),
    "here": Danger(0.75, "high", "deletes all of the folder it is run in"),
}
OPEN_MODES = frozenset(
    {"777", "0777", "a+rwx", "ugo+rwx", "o+w", "a+w", "666", "0666", "+w", "a=rwx", "1777"}
)
SET_ID = frozenset(
    {"u+s", "g+s", "+s", "4755", "4777", "6755", "2755", "04755", "u+xs", "a+s", "4711", "6777"}
)
WRITERS = frozenset(
    {"tee", "cp", "mv", "install", "ln", "sed", "rsync", "dd", "truncate", "sponge", "ed", "ex"}
)


def judged(call: Call) -> Danger | None:
    """What a call does to files."""
    rule = RULES.get(call.name)
    found = rule(call) if rule else None
    return found or _written(call)


def _removed(call: Call) -> Danger | None:
    flags = call.flags()
    if "no-preserve-root" in flags:
        return WIDE["everything"]
    recursive = bool(flags & {"r", "R", "recursive"}) or call.name in (
        "rimraf",
        "trash-put",
        "srm",
        "shred",
    )
    kinds = [breadth(word) for word in call.operands()]
    if "xargs" in call.wrappers:
        kinds += [breadth(word) for word in _piped(call)]
    broad = next(
        (kind for kind in ("disk", "everything", "home", "part", "here") if kind in kinds), None
    )
    if broad is None:
        return _removed_git(call) if recursive else None
    if recursive:
        return WIDE[broad]
    starred = any(word.endswith("*") and breadth(word) == broad for word in call.operands())
    return WIDE[broad] if broad == "disk" or starred else None


def _piped(call: Call) -> list[str]:
    """Words of the commands whose output `xargs` reads."""
    source = call.command.source
    return [
        word for one in (source, *call.command.inner) if one is not None for word in one.words[1:]
    ]


def _removed_git(call: Call) -> Danger | None:
    if any(
        word.rstrip("/").endswith("/.git") or word.rstrip("/") == ".git" for word in call.operands()
    ):
        return Danger(0.7, "high", "deletes a repository's history")
    return None


def _found(call: Call) -> Danger | None:
    """`find / -delete`; what `-exec` runs is judged as a call of its own."""
    roots = []
    for word in call.args:
        if word.startswith(("-", "(", "!")):
            break
        roots.append(word)
    runs = [at for at, word in enumerate(call.args) if word in ("-exec", "-execdir")]
    removes = any(call.args[at + 1 : at + 2] in (["rm"], ["shred"], ["unlink"]) for at in runs)
    if "-delete" not in call.args and not removes:
        return None
    narrowed = any(
        word.startswith(
            ("-name", "-iname", "-path", "-mtime", "-size", "-empty", "-regex", "-newer", "-mmin")
        )
        for word in call.args
    )
    kinds = {breadth(root) for root in roots}
    if kinds & {"everything", "home", "disk"}:
        return Danger(
            0.6 if narrowed else 0.95,
            "high" if narrowed else "critical",
            "deletes files all over the system",
        )
    return None if narrowed or "here" not in kinds else Danger(0.6, "high", WIDE["here"].said)


def _filled(call: Call) -> Danger | None:
    target = next((word[3:] for word in call.args if word.startswith("of=")), "")
    if DISK.match(target):
        return WIDE["disk"]
    return (
        Danger(0.8, "critical", "deletes a system folder's file")
        if breadth(target) == "everything"
        else None
    )


def _formatted(call: Call) -> Danger | None:
    if any(
        word.startswith(("/dev/", "\\\\.\\")) or word[:2].endswith(":") for word in call.operands()
    ):
        return Danger(0.97, "critical", "formats a disk")
    return None


def _moded(call: Call) -> Danger | None:
    words = call.operands()
    mode, targets = (words[0], words[1:]) if words else ("", [])
    if mode.startswith("=") or mode in SET_ID or "+s" in call.args:
        return Danger(0.75, "high", "lets a program run with its owner's rights")
    wide = [kind for kind in map(breadth, targets) if kind]
    recursive = bool(call.flags() & {"R", "recursive"})
    wide = [kind for kind in wide if kind != "part"]
    if mode in OPEN_MODES or mode.lstrip("0") in ("", "777"):
        if wide and (recursive or wide[0] != "here"):
            severity: Severity = "critical" if wide[0] == "everything" else "high"
            return Danger(
                0.9 if wide[0] != "here" else 0.55,
                severity,
                "opens a whole tree of files to everybody",
            )
        if any(credential(target) or target.startswith("/etc/") for target in targets):
            return Danger(0.8, "high", "opens a protected file to everybody")
    if recursive and wide and wide[0] == "everything":
        return Danger(0.8, "high", "changes the rights of a whole system folder")
    return None


def _granted(call: Call) -> Danger | None:
    if call.flags() & {"R", "recursive"} and breadth((call.operands() or [""])[-1]) == "everything":
        return Danger(0.8, "high", "opens a whole tree of files")
    return None


def _erased(call: Call) -> Danger | None:
    """Of systems in a system, and of macOS's disks."""
    words = {word.lower() for word in call.args}
    if call.name == "wsl" and "--unregister" in words:
        return Danger(0.85, "high", "deletes a whole system with its files")
    if any(
        word.startswith(("erase", "zerodisk", "partitiondisk", "secureerase")) for word in words
    ):
        return Danger(0.95, "critical", "formats a disk")
    return None


def _owned(call: Call) -> Danger | None:
    if call.flags() & {"R", "recursive"} and any(
        breadth(word) == "everything" for word in call.operands()[1:]
    ):
        return Danger(0.85, "high", "changes the owner of a whole system folder")
    return None


def _moved(call: Call) -> Danger | None:
    words = call.operands()
    if len(words) > 1 and words[-1].rstrip("/") == "/dev/null":
        return Danger(0.85, "high", "throws files away")
    if (
        len(words) > 1
        and any(breadth(word) in ("everything", "home") for word in words[:-1])
        and call.name == "mv"
    ):
        return Danger(0.8, "high", "moves a folder away that the system or every user needs")
    return None


def _synced(call: Call) -> Danger | None:
    if not {"--delete", "--delete-after", "--delete-before", "--delete-excluded"} & set(call.args):
        return None
    target = call.operands()[-1:]
    return WIDE["home"] if target and breadth(target[0]) in ("everything", "home") else None


def _wiped(call: Call) -> Danger | None:
    if any(DISK.match(word) for word in call.operands()):
        return WIDE["disk"]
    return _removed(call)


def _written(call: Call) -> Danger | None:
    """Redirections, and programs that write files, into places that matter."""
    targets = [
        target for sign, target in call.command.redirects if ">" in sign and not sign.endswith("&")
    ]
    for target in targets:
        if DISK.match(target):
            return WIDE["disk"]
    targets += _outputs(call)
    for target in targets:
        if target.startswith(("/proc/sys", "/sys/", "/selinux/")):
            return Danger(0.7, "high", "changes how the kernel works")
        if place := persistent(target):
            return Danger(0.85 if place[0] == "high" else 0.65, place[0], f"writes to {place[1]}")
        if (
            target.startswith(("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/boot/", "/lib/"))
            and call.name != "ln"
        ):
            return Danger(0.6, "medium", "writes to a system folder")
    return None


def _outputs(call: Call) -> list[str]:
    if call.name not in WRITERS:
        found = (
            call.value("-o", "--output", "-O", "--output-document")
            if call.name in ("curl", "wget")
            else None
        )
        return [found] if found else []
    words = call.operands()
    if call.name == "tee":
        return words
    if call.name == "sed":
        return words[1:] if call.flags() & {"i", "in-place"} else []
    if call.name == "dd":
        return [word[3:] for word in call.args if word.startswith("of=")]
    return words[-1:]


RULES = {
    **dict.fromkeys(("rm", "rimraf", "srm", "unlink", "rmtree", "trash-put", "rmdir"), _removed),
    **dict.fromkeys(
        ("shred", "wipefs", "blkdiscard", "badblocks", "hdparm", "sgdisk", "wipe"), _wiped
    ),
    **dict.fromkeys(
        (
            "mkfs",
            "mke2fs",
            "mkswap",
            "format",
            "diskpart",
            "newfs",
            "cryptsetup",
            "zpool",
            "parted",
            "fdisk",
        ),
        _formatted,
    ),
    **dict.fromkeys(
        (
            f"mkfs.{kind}"
            for kind in ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "ntfs", "f2fs")
        ),
        _formatted,
    ),
    "find": _found,
    "fd": _found,
    "dd": _filled,
    "chmod": _moded,
    "setfacl": _granted,
    "chown": _owned,
    "chgrp": _owned,
    "mv": _moved,
    "cp": _moved,
    "rsync": _synced,
    "wsl": _erased,
    "diskutil": _erased,
}
