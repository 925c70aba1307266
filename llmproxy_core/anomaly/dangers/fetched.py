"""Code from the net that is run, disguised commands, shells handed to another machine."""

import re
from collections.abc import Iterator, Sequence

from llmproxy_core.anomaly.dangers.calls import CODE_FLAGS, SHELLS, Call, braced, is_shell, program
from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.reading.names import names
from llmproxy_core.anomaly.reading.shell import Command

DOWNLOADERS = names(
    "curl wget fetch aria2c http https xh lynx lwp-request axel iwr irm invoke-webrequest "
    "invoke-restmethod certutil bitsadmin wget2 curlie ftp tftp scp"
)
DECODERS = frozenset(
    {
        "base64",
        "base32",
        "xxd",
        "openssl",
        "uudecode",
        "basenc",
        "rev",
        "tr",
        "gunzip",
        "zcat",
        "hex",
    }
)
FETCHED = re.compile(
    r"(?i)\b(?:curl|wget|iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring|urlopen"
    r"|fetch|lwp-download)\b"
)
DECODED = re.compile(
    r"(?i)\b(?:base(?:64|32)\b[^|;&)`]*-(?:d|-?decode|di)\b|xxd\b[^|;&)`]*-[a-z]*r|openssl\b[^"
    r"|;&)`]*-d\b|frombase64string)"
)
INSTALLERS = re.compile(
    r"(?i)https?://(?:[\w-]+\.)*(?:nodesource\.com|rustup\.rs|docker\.com|k3s\.io|astral\.sh"
    r"|bun\.sh|deno\.land|deno\.com"
    r"|install\.python-poetry\.org|tailscale\.com|ollama\.com|starship\.rs|sdkman\.io|nixos\.org"
    r"|fly\.io|pnpm\.io"
    r"|yarnpkg\.com|brew\.sh|ohmyz\.sh|helm\.sh|hashicorp\.com|claude\.ai|opencode\.ai"
    r"|aider\.chat|get\.sdkman\.io"
    r"|bootstrap\.pypa\.io|packagecloud\.io|cli\.github\.com|packages\.microsoft\.com|dot\.net"
    r"|mise\.run|jetify\.com"
    r"|raw\.githubusercontent\.com/(?:Homebrew|nvm-sh|ohmyzsh|pyenv|helm|asdf-vm|rbenv"
    r"|creationix|aquasecurity|golangci"
    r"|kubernetes-sigs|k3d-io|junegunn|robbyrussell|microsoft|docker)/)"
)
LISTENER = Danger(0.95, "critical", "hands a shell of this machine to another one")
SOCKET = re.compile(r"/dev/(?:tcp|udp)/[^/\s]+/\d+|/dev/(?:tcp|udp)/\$")
BOMB = re.compile(r"(\S{1,20}?)\s*\(\)\s*\{\s*\1\s*\|\s*\1\s*&\s*\}\s*;\s*\1")
RAW = Danger(0.7, "high", "sends data through a raw socket")
DISGUISED = Danger(0.9, "critical", "runs a text that is disguised by an encoding")
SPELT = re.compile(r"(?:\\{1,2}(?:x[0-9a-fA-F]{2}|[0-7]{3})){4,}")
SECOND = Danger(0.85, "high", "downloads a program and runs it")


def judged(call: Call) -> Danger | None:
    """What is run where it comes from, as far as one call and its pipe tell."""
    targets = [target for _, target in call.command.redirects]
    if any("/dev/" in word and SOCKET.search(word) for word in (*targets, *call.args)):
        handed = is_shell(call) or call.name in ("exec", "", "cat")
        return LISTENER if handed else RAW
    if call.name == "ztcp":
        return LISTENER
    if call.name in ("deno", "npx", "bunx", "pipx", "uvx", "go", "bun") and (
        url := next((word for word in call.args if word.startswith(("http://", "https://"))), None)
    ):
        return _download(url)
    if call.name in ("awk", "gawk") and any("/inet/" in word for word in call.args):
        return LISTENER
    found = _netcat(call) or _interpreted(call)
    if found is None and call.name.startswith(("$(", "`")):
        return _origin_of(call.name)
    return found


def across(found: Sequence[Call]) -> Iterator[tuple[Call, Danger]]:
    """Files that one call fetches and a later one runs."""
    fetched: set[str] = set()
    for call in found:
        if call.name in DOWNLOADERS:
            fetched.update(_saved(call))
        elif fetched and (_runs(call) & fetched or _unpacked(call, fetched)):
            yield call, SECOND


def _unpacked(call: Call, fetched: set[str]) -> bool:
    """Is it out of an archive that was fetched: `./kit/install.sh` of `kit.tgz`?"""
    first = _plain(call.command.words[0]) if call.command.words else ""
    folder = first.split("/")[0] if "/" in first else ""
    return bool(folder) and any(name.split(".")[0] == folder for name in fetched)


def bomb(text: str) -> re.Match[str] | None:
    """A fork bomb: `:(){ :|:& };:`."""
    return BOMB.search(text) if "(" in text and "|" in text and "&" in text else None


def _interpreted(call: Call) -> Danger | None:
    """A program that runs what it reads: what does it read?"""
    runs = (
        is_shell(call)
        or call.name in CODE_FLAGS
        or call.name in ("eval", "source", ".", "iex", "invoke-expression", "xargs")
    )
    if not runs:
        return None
    for word in call.args:
        inside = word.startswith(("$(", "<(", "`")) or (
            (call.name == "eval" or "-c" in call.args) and ("$(" in word or "`" in word)
        )
        if inside and (found := _origin_of(word)):
            return found
    for sign, target in call.command.redirects:
        if sign == "<<<" and "$(" in target and (found := _origin_of(target)):
            return found
    if call.command.source is None:
        return None
    reads_stdin = (
        not [word for word in call.operands() if word not in ("-", "/dev/stdin")]
        or "-s" in call.args
    )
    return _piped(call.command.source) if reads_stdin else None


def _piped(source: Command) -> Danger | None:
    left: Command | None = source
    for _ in range(8):
        if left is None or not left.words:
            return None
        plain = braced(left.words)
        words, said = [program(word) for word in plain], " ".join(plain)
        if DOWNLOADERS.intersection(words[:4]):
            return _download(said)
        if words[0] in ("telnet", "nc", "ncat", "netcat"):
            return LISTENER
        if words[0] in ("printf", "echo") and SPELT.search(said):
            return DISGUISED
        if DECODERS.intersection(words[:2]) and (
            DECODED.search(said) or words[0] in ("rev", "tr", "uudecode", "gunzip", "zcat")
        ):
            return Danger(0.9, "critical", "runs a text that is disguised by an encoding")
        if (found := _origin_of(said)) is not None and "$(" in said:
            return found
        left = left.source
    return None


def _origin_of(word: str) -> Danger | None:
    if FETCHED.search(word):
        return _download(word)
    if DECODED.search(word):
        return Danger(0.9, "critical", "runs a text that is disguised by an encoding")
    return None


def _download(said: str) -> Danger:
    if INSTALLERS.search(said):
        return Danger(
            0.35, "low", "runs the installer of a well-known project straight from the net"
        )
    return Danger(0.9, "critical", "runs a program straight from the net")


def _is_shell_command(command: Command | None) -> bool:
    return command is not None and program((command.words or [""])[0]) in SHELLS


def _netcat(call: Call) -> Danger | None:
    words = " ".join(call.args)
    ends = (call.command.source, call.command.sink)
    if call.name in ("nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"):
        runs = call.flags() & {"e", "c", "exec", "sh-exec"}
        if runs and re.search(r"(?:ba|z|da|k)?sh\b|cmd|powershell|python", words):
            return LISTENER
        ends = (call.command.source, call.command.sink)
        if any(
            end and end.words and program(end.words[0]) in ("sh", "bash", "zsh") for end in ends
        ):
            return LISTENER
    if call.name == "socat" and re.search(r"(?i)\b(?:exec|system):", words):
        return LISTENER
    if call.name == "openssl" and "s_client" in call.args and any(map(_is_shell_command, ends)):
        return LISTENER
    if call.name in ("mkfifo", "mknod"):
        return Danger(0.4, "low", "makes a pipe, as shells for another machine need")
    if call.name in ("ssh", "autossh") and call.flags() & {"R"} and call.operands():
        return Danger(0.6, "high", "opens a way in from another machine")
    if call.name in ("ngrok", "cloudflared", "localtunnel", "bore", "chisel", "frpc"):
        return Danger(0.55, "medium", "opens this machine to the net")
    return None


def _saved(call: Call) -> set[str]:
    """Files that a download is written to."""
    found = {call.value("-o", "--output", "-O", "--output-document") or ""}
    found.update(target for sign, target in call.command.redirects if ">" in sign)
    urls = [word for word in call.args if "://" in word]
    if call.name == "wget" or call.flags() & {"O", "remote-name"}:
        found.update(url.split("?")[0].rstrip("/").rsplit("/", 1)[-1] for url in urls)
    if call.name in ("certutil", "bitsadmin", "scp"):
        found.update(call.operands()[-1:])
    return {_plain(name) for name in found if name and "://" not in name} - {"", "/dev/null", "-"}


def _runs(call: Call) -> set[str]:
    if call.name == "chmod":
        mode = call.args[0] if call.args else ""
        runs = "x" in mode or (mode.isdigit() and any(int(digit) % 2 for digit in mode[-3:]))
        return {_plain(word) for word in call.args[1:]} if runs else set()
    if (
        is_shell(call)
        or call.name in CODE_FLAGS
        or call.name in ("source", ".", "dpkg", "rpm", "installer", "msiexec", "start")
    ):
        return {_plain(word) for word in call.operands()}
    first = call.command.words[0] if call.command.words else ""
    return (
        {_plain(word) for word in call.command.words[:3]}
        if "/" in first or call.wrappers
        else {_plain(first)}
    )


def _plain(name: str) -> str:
    return name.removeprefix("./").strip("\"'")
