"""The programs that a shell text starts: behind `sudo`, in `bash -c "..."`, by `find -exec`.

Words that other programs run are read again as shell texts, a few levels deep.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.reading.names import names
from llmproxy_core.anomaly.reading.shell import Command, commands

DEEPEST = 5
MOST = 1000
"""Programs that one text starts; a text with more is told of as too long."""
LONGEST = 16_000
"""Characters of a text within a text."""
ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*+\+?=")
KEYWORDS = names("then do else if while until ! { time elif & && coproc")
WRAPPERS: dict[str, frozenset[str]] = {
    "sudo": names("-u -g -h -p -C -T -U -r -t --user --group --chdir -D"),
    "doas": names("-u -C"),
    "env": names("-u -C -S --unset --chdir"),
    "nice": names("-n --adjustment"),
    "ionice": names("-c -n -p"),
    "xargs": names("-n -P -I -d -L -a -s -E --max-args --max-procs --replace --delimiter"),
    "timeout": names("-s -k --signal --kill-after"),
    "stdbuf": names("-i -o -e"),
    "watch": names("-n --interval"),
    "strace": names("-e -o -p -s"),
    "flock": names("-w -E"),
    "runuser": names("-u"),
    "systemd-run": names("-p -u --unit"),
    **dict.fromkeys(
        [
            "nohup",
            "exec",
            "command",
            "builtin",
            "setsid",
            "busybox",
            "unshare",
            "parallel",
            "fakeroot",
            "unbuffer",
            "toybox",
        ],
        frozenset(),
    ),
}
"""Programs that run the rest of their words, and their options that take a value."""
SKIPPED = {"timeout": 1, "chroot": 1, "flock": 1}
"""Words of their own before the command."""
SHELLS = names("sh bash zsh dash ksh fish ash csh tcsh rbash mksh")
POWERSHELLS = frozenset({"powershell", "pwsh"})
CODE_FLAGS = {
    "python": "-c",
    "python2": "-c",
    "python3": "-c",
    "pypy3": "-c",
    "node": "-e",
    "nodejs": "-e",
    "bun": "-e",
    "deno": "eval",
    "perl": "-e",
    "ruby": "-e",
    "php": "-r",
    "lua": "-e",
    "osascript": "-e",
}
REMOTE = frozenset({"ssh", "docker", "podman", "kubectl", "oc", "nsenter", "lxc-attach"})
SSH_VALUES = names("-i -p -l -o -F -J -L -R -D -b -c -m -e -E -I -Q -S -W -w -B")


@dataclass(slots=True)
class Call:
    """A program that is started. `name` in lower case, without its folder; `code`: a script in the
    words, to be run by the program itself; `level` 0 stands in the text as it is."""

    name: str
    args: list[str]
    command: Command
    start: int
    end: int
    level: int = 0
    wrappers: list[str] = field(default_factory=list)
    code: str = ""

    def flags(self) -> set[str]:
        """Letters of short options, and long ones without dashes and values."""
        found: set[str] = set()
        for word in self.args:
            if word == "--":
                break
            if word.startswith("--"):
                found.add(word[2:].partition("=")[0])
            elif word.startswith("-"):
                found.update(word[1:])
        return found

    def operands(self) -> list[str]:
        """Words that are no options."""
        if "--" in self.args:
            at = self.args.index("--")
            before = [word for word in self.args[:at] if not word.startswith("-")]
            return before + self.args[at + 1 :]
        return [word for word in self.args if not word.startswith("-") or word == "-"]

    def value(self, *options: str) -> str | None:
        """The value of an option, in the next word or after `=`."""
        letters = tuple(option[1] for option in options if len(option) == 2)
        for at, word in enumerate(self.args):
            joined = word[:1] == "-" and word[:2] != "--" and word.endswith(letters)
            if word in options or (joined and letters):
                return self.args[at + 1] if at + 1 < len(self.args) else None
            head, sign, tail = word.partition("=")
            if sign and head in options:
                return tail
        return None


type Rules = dict[str, Callable[[Call], Danger | None]]
"""What is asked of a program, by its name."""


def calls(text: str) -> list[Call]:
    """All that a shell text starts, in the order they begin; MOST of them."""
    return list(islice(_calls(text, 0, None), MOST))


def _calls(text: str, level: int, span: tuple[int, int] | None) -> Iterator[Call]:
    for command in commands(text[:LONGEST] if level else text):
        start, end = span or (command.start, command.end)
        call = unwrapped(command, start, end, level)
        if call is None:
            continue
        yield call
        if level < DEEPEST:
            for inner in _texts_within(call):
                yield from _calls(inner, level + 1, (start, end))


def unwrapped(command: Command, start: int, end: int, level: int) -> Call | None:
    """The program at the end of assignments, keywords and programs that run others."""
    words, wrappers = braced(command.words), list[str]()
    at = 0
    while at < len(words):
        word = words[at]
        if ASSIGNMENT.match(word) or word in KEYWORDS:
            at += 1
            continue
        name = program(word)
        if name not in WRAPPERS or at + 1 == len(words):
            return Call(name, words[at + 1 :], command, start, end, level, wrappers)
        wrappers.append(name)
        at = _after_options(words, at + 1, WRAPPERS[name]) + SKIPPED.get(name, 0)
    if command.redirects or (wrappers and not words):
        return Call("", [], command, start, end, level, wrappers)
    return Call(wrappers[-1], [], command, start, end, level, wrappers) if wrappers else None


def braced(words: list[str]) -> list[str]:
    """`{base64,-d}` is two words."""
    first = words[0] if words else ""
    if first.startswith("{") and first.endswith("}") and "," in first:
        return [*first[1:-1].split(","), *words[1:]]
    return words


def program(word: str) -> str:
    """`/bin/rm` and `RM.exe` are `rm`."""
    if word.startswith(("$", "`", "<(")):
        return word
    name = word[max(word.rfind("/"), word.rfind("\\")) + 1 :].lower()
    return name.removesuffix(".exe") or word


def is_shell(call: Call) -> bool:
    return call.name in SHELLS or call.name in POWERSHELLS


def _after_options(words: list[str], at: int, valued: frozenset[str]) -> int:
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in valued else 1
    return at + 1 if at < len(words) and words[at] == "--" else at


def _texts_within(call: Call) -> Iterator[str]:
    """Words of a call, and what flows into it, that are shell texts themselves."""
    if call.name in SHELLS or call.name in ("su", "script"):
        yield from _script_of_shell(call)
    elif call.name == "eval":
        yield " ".join(call.args)
    elif call.name in REMOTE:
        yield _remote(call)
    elif call.name in ("find", "fd"):
        yield from _executed(call)
    elif call.name in ("crontab", "at", "batch"):
        yield from _fed(call)
    elif call.name == "cmd" and len(call.args) > 1 and call.args[0].lower() in ("/c", "/k"):
        yield " ".join(call.args[1:])
    elif call.name in POWERSHELLS:
        yield _powershell(call)
    elif call.name in CODE_FLAGS:
        call.code = _code(call)
    elif call.name == "trap" and call.args:
        yield call.args[0]


def _script_of_shell(call: Call) -> Iterator[str]:
    for at, word in enumerate(call.args):
        if word.startswith("-") and not word.startswith("--") and "c" in word[1:]:
            yield " ".join(call.args[at + 1 : at + 2])
            return
    if not call.operands() or call.operands()[0] in ("-", "/dev/stdin"):
        yield from _fed(call)


def _fed(call: Call) -> Iterator[str]:
    """What a program reads: a here-document, or what an echo before the pipe says."""
    for sign, target in call.command.redirects:
        if sign.startswith("<<"):
            yield target
    for source in (call.command.source, *call.command.inner):
        if source is not None and source.words and program(source.words[0]) in ("echo", "printf"):
            yield " ".join(word for word in source.words[1:] if not word.startswith("-"))


def _remote(call: Call) -> str:
    """The command after the host, container or pod."""
    if call.name == "ssh":
        at = _after_options(call.args, 0, SSH_VALUES) + 1
        return " ".join(call.args[at:])
    if "--" in call.args:
        return " ".join(call.args[call.args.index("--") + 1 :])
    if call.args[:1] not in (["exec"], ["run"], ["compose"]):
        return ""
    shell = next((at for at, word in enumerate(call.args) if program(word) in SHELLS), None)
    if shell is not None:
        return " ".join(_quoted(word) for word in call.args[shell:])
    return " ".join(call.operands()[2:])


def _executed(call: Call) -> Iterator[str]:
    for at, word in enumerate(call.args):
        if word in ("-exec", "-execdir", "-ok", "-x", "-X", "--exec"):
            yield " ".join(
                _quoted(inner) for inner in call.args[at + 1 :] if inner not in (";", "+")
            )


def _powershell(call: Call) -> str:
    given = [at for at, word in enumerate(call.args) if word.lower() in ("-command", "-c")]
    if given:
        return " ".join(call.args[given[0] + 1 :])
    return " ".join(word for word in call.args if not word.startswith("-"))


def _code(call: Call) -> str:
    """The script in `python -c "..."`, or in the here-document it reads."""
    flag = CODE_FLAGS[call.name]
    for at, word in enumerate(call.args[:-1]):
        if word == flag or (
            word.startswith("-")
            and not word.startswith("--")
            and word.endswith(flag[1:])
            and len(word) < 5
        ):
            return call.args[at + 1]
    return "\n".join(target for sign, target in call.command.redirects if sign.startswith("<<"))


def _quoted(word: str) -> str:
    if word and not re.search(r"[\s'\"\\$`|&;<>()#]", word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"
