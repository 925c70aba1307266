"""Commands that weaken a machine, hide traces, stay for good, or read credentials."""

import re

from llmproxy_core.anomaly.dangers.calls import Call
from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.reading.names import names
from llmproxy_core.anomaly.reading.places import breadth, credential

READERS = names(
    "cat less more head tail tac nl od xxd hexdump strings grep egrep rg ag awk sed cut sort"
    " base64 base32 cp mv scp "
    "rsync tar zip 7z gzip curl wget nc ncat openssl type get-content gc copy xcopy robocopy bat"
    " vi vim nano view "
    "source . dd paste rev tee python python3 node perl ruby php sqlite3 jq yq envsubst diff"
    " comm find sftp ftp ssh-keygen "
    "aws gsutil az rclone mail sendmail pbcopy xclip gpg age export read mapfile http https"
    " httpie iwr irm "
    "invoke-webrequest invoke-restmethod select-string compress-archive cmp split printf echo ln"
    " install gh "
)
HISTORY = re.compile(
    r"(?i)(?:^|/)\.?(?:bash_|zsh_|python_|mysql_|psql_|node_repl_|ash_)?history$"
    r"|consolehost_history|fish_history"
)
LOGS = re.compile(
    r"^/var/log(?:/.*)?$|^/var/run/utmp|/(?:wtmp|btmp|lastlog|auth\.log|audit\.log|secure)$"
)
GUARDS = re.compile(
    r"(?i)^(?:ufw|firewalld|iptables|nftables|apparmor|auditd|fail2ban|rsyslog|syslog|falco"
    r"|clamav[\w-]*|selinux|falcon-sensor"
    r"|windefend|mpssvc|sense|crowdstrike|sentinelone|wazuh-agent|osqueryd|mdatp|sshguard)"
    r"(?:\.service)?$"
)


def judged(call: Call) -> Danger | None:
    """What a call does to the machine it runs on."""
    rule = RULES.get(call.name)
    return (rule(call) if rule else None) or _hidden(call) or _read(call)


def _read(call: Call) -> Danger | None:
    """Credentials among the words, or flowing in."""
    if call.name not in READERS:
        return None
    sources = [
        target for sign, target in call.command.redirects if sign.startswith("<") and sign != "<<"
    ]
    words = call.args if call.name not in ("echo", "printf") else []
    if call.name in ("cp", "mv", "install", "ln", "rsync") and len(call.operands()) > 1:
        words = call.operands()[:-1]
    for word in [*words, *sources]:
        place = credential(word) if len(word) < 4000 else None
        if place and not word.startswith(("http://localhost", "--env-file")):
            score = {"critical": 0.95, "high": 0.85}.get(place[0], 0.6)
            return Danger(score, place[0], f"reads {place[1]}")
    return None


def _hidden(call: Call) -> Danger | None:
    """Traces that are wiped."""
    targets = [
        target
        for sign, target in call.command.redirects
        if sign.endswith(">") and not sign.endswith(">>")
    ]
    if call.name in (
        "rm",
        "shred",
        "truncate",
        "unlink",
        "ln",
        "cp",
        "mv",
        "srm",
        "clear-content",
        "remove-item",
    ):
        targets += call.operands()
    for target in targets:
        if HISTORY.search(target) or (LOGS.search(target) and (call.name != "cp")):
            return Danger(0.8, "high", "wipes the traces of what was done")
    if call.name in ("export", "unset", "declare", "set") or not call.name:
        said = " ".join(call.command.words)
        if re.search(r"\bHIST(?:FILE|SIZE|FILESIZE|CONTROL)\b", said) and (
            "/dev/null" in said or "=0" in said or call.name == "unset" or said.endswith("=")
        ):
            return Danger(0.75, "high", "keeps the shell from recording what is done")
    return None


def _journal(call: Call) -> Danger | None:
    wipes = any(
        word.startswith(("--vacuum", "-C", "--clear", "--read-clear")) for word in call.args
    )
    return Danger(0.6, "medium", "wipes the traces of what was done") if wipes else None


def _let_in(call: Call) -> Danger | None:
    return Danger(0.7, "high", "lets a key log in to another machine") if call.operands() else None


def _taken(call: Call) -> Danger | None:
    broad = any(
        breadth(call.args[at + 1]) for at, word in enumerate(call.args[:-1]) if word.lower() == "/f"
    )
    return Danger(0.7, "high", "takes a system folder away from its owner") if broad else None


def _history(call: Call) -> Danger | None:
    return Danger(0.8, "high", "wipes the history of the shell") if call.flags() & {"c"} else None


def _stopped(call: Call) -> Danger | None:
    words = [word.lower() for word in call.operands()]
    if call.name == "systemctl" and {"poweroff", "reboot", "halt", "kexec"} & set(words):
        return Danger(0.7, "high", "switches the machine off")
    stops = {"stop", "disable", "mask", "kill"} & set(words)
    if call.name in ("sc", "sc.exe", "net") and {"stop", "delete", "config"} & set(words):
        stops = {"stop"}
    if call.name == "systemctl" and {"enable", "link"} & set(words) and len(words) > 1:
        return Danger(0.55, "medium", "has a program started on its own")
    if stops and any(GUARDS.match(word) for word in words):
        return Danger(0.85, "high", "switches off what guards the machine")
    return None


def _firewall(call: Call) -> Danger | None:
    words = {word.lower() for word in call.args}
    if call.name in ("ufw", "pfctl") and words & {"disable", "reset", "-d"}:
        return Danger(0.85, "high", "switches the firewall off")
    if call.name in ("iptables", "ip6tables") and (
        "-F" in call.args
        or "--flush" in words
        or "-X" in call.args
        or ("-P" in call.args and "ACCEPT" in call.args)
    ):
        return Danger(0.85, "high", "empties the firewall's rules")
    if call.name == "nft" and "flush" in words:
        return Danger(0.85, "high", "empties the firewall's rules")
    if call.name == "setenforce" and words & {"0", "permissive"}:
        return Danger(0.8, "high", "switches SELinux off")
    off = {"off", "state=off", "disable", "--remove-service", "--panic-off", "opmode=disable"}
    if call.name in (
        "netsh",
        "firewall-cmd",
        "socketfilterfw",
        "auditctl",
        "spctl",
        "csrutil",
        "fdesetup",
        "aa-teardown",
    ) and (
        words & off
        or "--setglobalstate" in words
        or "--master-disable" in words
        or ("-e" in words and "0" in words)
        or "-D" in call.args
    ):
        return Danger(0.85, "high", "switches off what guards the machine")
    return None


def _scheduled(call: Call) -> Danger | None:
    if call.name == "crontab":
        if "-r" in call.args:
            return Danger(0.75, "high", "deletes every scheduled command")
        if call.args and set(call.args) & {"-l", "-h", "--help"} and call.args[0] == "-l":
            return None
        return Danger(0.75, "high", "schedules commands that will run on their own")
    if call.name in ("at", "batch") and not {"-l", "-d", "-r", "-c"} & set(call.args):
        return Danger(0.6, "medium", "schedules commands that will run on their own")
    if call.name == "schtasks" and any(word.lower() == "/create" for word in call.args):
        return Danger(0.75, "high", "schedules commands that will run on their own")
    if call.name == "launchctl" and set(call.args) & {"load", "bootstrap", "submit"}:
        return Danger(0.6, "medium", "has a program started on its own")
    return None


def _users(call: Call) -> Danger | None:
    words = call.args
    if call.name in ("useradd", "adduser", "net", "net1"):
        added = call.name not in ("net", "net1") or (
            {"user", "localgroup"} & set(words) and any(word.lower() == "/add" for word in words)
        )
        system = {"--system", "-r", "-S", "-D", "--help"} & set(words)
        return (
            Danger(0.7, "high", "adds a user to the machine")
            if added and words and not system
            else None
        )
    if call.name in ("usermod", "gpasswd") and {"sudo", "wheel", "root", "docker", "admin"} & set(
        ",".join(words).split(",")
    ):
        return Danger(0.7, "high", "gives a user the rights of an administrator")
    if call.name in ("userdel", "deluser"):
        return Danger(0.65, "medium", "deletes a user")
    if call.name in ("passwd", "chpasswd") and (call.operands() or call.command.source):
        return Danger(0.75, "high", "changes a password")
    if call.name == "visudo":
        return Danger(0.6, "medium", "changes who may do anything")
    return None


def _ended(call: Call) -> Danger | None:
    words = call.args
    if call.name in ("shutdown", "reboot", "halt", "poweroff", "init", "telinit"):
        wanted = call.name not in ("init", "telinit") or set(words) & {"0", "6"}
        return (
            Danger(0.7, "high", "switches the machine off")
            if wanted and not {"-c", "--help"} & set(words)
            else None
        )
    if call.name == "kill" and "-1" in words[1:]:
        return Danger(0.85, "high", "ends every process")
    if call.name in ("killall5",) or (
        call.name in ("pkill", "killall") and {"-u", "."} & set(words)
    ):
        return Danger(0.7, "high", "ends every process of a user")
    return None


def _kernel(call: Call) -> Danger | None:
    said = " ".join(call.args)
    if call.name in ("insmod", "modprobe") and ("-r" not in call.args) and call.operands():
        return Danger(0.6, "medium", "loads code into the kernel")
    if call.name == "sysctl" and re.search(
        r"randomize_va_space=0|sysrq=1|ip_forward=1|core_pattern=", said
    ):
        return Danger(0.65, "medium", "weakens the kernel's guards")
    if call.name in ("setcap",) and "cap_" in said:
        return Danger(0.7, "high", "lets a program run with the system's rights")
    return None


def _secrets(call: Call) -> Danger | None:
    """Programs that hand out secrets themselves."""
    words = call.args
    said = " ".join(words)
    if call.name == "security" and re.search(
        r"find-(?:generic|internet)-password|dump-keychain|export\b", said
    ):
        return Danger(0.85, "high", "reads passwords from the keychain")
    if (
        call.name in ("mimikatz", "lazagne", "hashdump", "secretsdump.py", "procdump", "procdump64")
        or "lsass" in said
    ):
        return Danger(0.95, "critical", "takes passwords out of the machine's memory")
    if call.name in ("unshadow", "john", "hashcat"):
        return Danger(0.85, "high", "guesses passwords from their hashes")
    if call.name in ("gpg", "gpg2") and "export-secret-keys" in said:
        return Danger(0.85, "high", "exports secret keys")
    if call.name in ("cmdkey", "vaultcmd") and "/list" in said.lower():
        return Danger(0.6, "medium", "lists stored passwords")
    if call.name == "reg" and re.search(
        r"(?i)\bsave\s+hklm\\+(?:sam|security|system)|currentversion\\+run|^delete\s+hklm", said
    ):
        return Danger(
            0.9, "critical", "copies the passwords of the machine, or stays on it for good"
        )
    if call.name in ("secret-tool", "pass", "op", "bw") and words[:1] in (
        ["lookup"],
        ["search"],
        ["show"],
        ["item"],
        ["get"],
        ["list"],
        ["read"],
    ):
        return Danger(0.6, "medium", "reads a password from a safe")
    return None


RULES = {
    "journalctl": _journal,
    "dmesg": _journal,
    "at": _scheduled,
    "batch": _scheduled,
    "ssh-copy-id": _let_in,
    "takeown": _taken,
    **dict.fromkeys(("unshadow", "john", "hashcat"), _secrets),
    "history": _history,
    "systemctl": _stopped,
    "service": _stopped,
    "sc": _stopped,
    "chkconfig": _stopped,
    **dict.fromkeys(
        (
            "ufw",
            "pfctl",
            "iptables",
            "ip6tables",
            "nft",
            "setenforce",
            "netsh",
            "firewall-cmd",
            "auditctl",
            "spctl",
            "csrutil",
            "socketfilterfw",
            "fdesetup",
            "aa-teardown",
        ),
        _firewall,
    ),
    **dict.fromkeys(("crontab", "schtasks", "launchctl"), _scheduled),
    **dict.fromkeys(
        (
            "useradd",
            "adduser",
            "usermod",
            "gpasswd",
            "userdel",
            "deluser",
            "passwd",
            "chpasswd",
            "visudo",
            "net1",
        ),
        _users,
    ),
    "net": lambda call: _stopped(call) or _users(call),
    **dict.fromkeys(
        (
            "shutdown",
            "reboot",
            "halt",
            "poweroff",
            "init",
            "telinit",
            "kill",
            "killall",
            "killall5",
            "pkill",
        ),
        _ended,
    ),
    **dict.fromkeys(("insmod", "modprobe", "sysctl", "setcap"), _kernel),
    **dict.fromkeys(
        (
            "security",
            "mimikatz",
            "lazagne",
            "procdump",
            "procdump64",
            "secretsdump.py",
            "gpg",
            "gpg2",
            "cmdkey",
            "reg",
            "rundll32",
            "secret-tool",
            "pass",
            "op",
            "bw",
            "vaultcmd",
            "comsvcs.dll",
        ),
        _secrets,
    ),
}
