"""Shell commands as a shell would split them: quotes, pipes, redirections and substitutions.

A tokenizer of one pass, for judging, not for running: it takes any text, raises nothing, and of
what it cannot make sense it makes plain words. Where a quote is never closed it is a letter.
"""

import re
from dataclasses import dataclass, field

DEEPEST = 12
"""Substitutions in substitutions; those below are read as plain text."""
MOST = 20_000
"""Words of one text; what comes after them is not read."""
PLAIN = re.compile(r"[^\s\"'\\$`|&;<>()]++")
BLANK = re.compile(r"(?:[^\S\n]|\\\n)++")
REDIRECT = re.compile(r"(?:&>>?|[0-9]?(?:<<<|<<-?|>>|<>|>\||<|>)&?)")
QUOTED_PART = re.compile(r"[^\"\\$`]++")
DOLLAR = re.compile(r"\$(?:\{[^{}\n]{0,200}\}|[A-Za-z_][A-Za-z0-9_]*+|[0-9?$!#@*-])")
ANSI_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
WINDOWS = re.compile(r"(?i)[a-z]:$|hk(?:lm|cu|cr|u|ey_\w+)$|%\w+%$|\$env:\w+$")
"""What a path in Windows begins with: there a backslash is a letter."""
ENDS = frozenset(";&|\n()")


@dataclass(slots=True)
class Command:
    """One command. `words` are without quotes; substitutions stay in them as they were written,
    and what is in those is in `inner`. `source` is the command whose output comes in by a pipe."""

    start: int
    end: int = 0
    words: list[str] = field(default_factory=list)
    redirects: list[tuple[str, str]] = field(default_factory=list)
    inner: list["Command"] = field(default_factory=list)
    source: "Command | None" = None
    sink: "Command | None" = None
    background: bool = False


def commands(text: str) -> list[Command]:
    """All of them in the order they begin, the ones in substitutions right after their owner."""
    top = _Reader(text).read(0, "")[0]
    found: list[Command] = []
    left = top[::-1]
    while left:
        command = left.pop()
        found.append(command)
        left.extend(reversed(command.inner))
    return found


class _Reader:
    __slots__ = ("after_here", "depth", "n", "text", "unclosed")

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.n = 0
        self.unclosed: set[str] = set()
        self.after_here: dict[int, int] = {}
        """From the end of a line to the end of the here-documents that begin on it."""

    def read(self, at: int, until: str) -> tuple[list[Command], int]:
        """Commands from `at` up to the sign `until` (or the end), and the place after it."""
        text, found, source = self.text, list[Command](), None
        while at < len(text) and self.n < MOST:
            command, at = self.command(at, until)
            command.source = source
            if command.words or command.redirects or command.inner:
                found.append(command)
                if source is not None:
                    source.sink = command
            sign = text[at : at + 1]
            if sign and sign == until:
                return found, at + 1
            piped = sign == "|" and text[at : at + 2] != "||"
            source = command if piped and (command.words or command.inner) else None
            command.background = sign == "&" and text[at : at + 2] != "&&"
            after = at + (2 if text[at : at + 2] in ("||", "&&", "|&", ";;") else 1)
            at = self.after_here.get(at, after)
        return found, len(text)

    def command(self, at: int, until: str) -> tuple[Command, int]:
        text, command = self.text, Command(at)
        command.end = at
        while at < len(text) and self.n < MOST:
            if blank := BLANK.match(text, at):
                at = blank.end()
                continue
            sign = text[at]
            if sign == "#" and (at == 0 or text[at - 1].isspace()):
                line_end = text.find("\n", at)
                at = len(text) if line_end < 0 else line_end
                continue
            if sign == until or (sign in ENDS and not text.startswith("&>", at)):
                break
            if not command.words and not command.redirects:
                command.start = at
            redirect = REDIRECT.match(text, at) if sign in "<>&0123456789" else None
            if redirect and not text.startswith(("<(", ">("), at):
                at = self.redirect(redirect[0], redirect.end(), command, until)
            else:
                word, at = self.word(at, until, command)
                command.words.append(word)
                self.n += 1
            command.end = min(at, len(text))
        return command, at

    def redirect(self, sign: str, at: int, command: Command, until: str) -> int:
        blank = BLANK.match(self.text, at)
        target, at = self.word(blank.end() if blank else at, until, command)
        if sign.startswith("<<") and sign != "<<<" and target:
            target = self.here(target, at)
        command.redirects.append((sign, target))
        return at

    def here(self, mark: str, at: int) -> str:
        """What stands in a here-document that begins on the line of `at`."""
        line_end = self.text.find("\n", at)
        if line_end < 0:
            return ""
        start = self.after_here.get(line_end, line_end)
        closing = re.compile(rf"\n[ \t]*{re.escape(mark[:80])}[ \t]*(?=\n|$)").search(
            self.text, start
        )
        self.after_here[line_end] = closing.end() if closing else len(self.text)
        return self.text[start + 1 : closing.start() if closing else None]

    def word(self, at: int, until: str, command: Command) -> tuple[str, int]:
        text, parts = self.text, list[str]()
        while at < len(text):
            if plain := PLAIN.match(text, at):
                parts.append(plain[0])
                at = plain.end()
                continue
            sign = text[at]
            if sign == until or sign.isspace() or sign in ";|&" or sign == ")":
                break
            if sign in "<>(" and not (parts == [] and text[at : at + 2] in ("<(", ">(")):
                break
            if sign == "\\" and parts and WINDOWS.match(parts[0]):
                parts.append(sign)
                at += 1
                continue
            part, at = self.part(sign, at, command)
            parts.append(part)
        return "".join(parts), at

    def part(self, sign: str, at: int, command: Command) -> tuple[str, int]:
        """A piece of a word that begins with a sign."""
        text = self.text
        if sign == "\\":
            return text[at + 1 : at + 2].replace("\n", ""), at + 2
        if sign == "'":
            return self.single(at)
        if sign == '"':
            return self.double(at, command)
        if sign == "$" and text.startswith("$'", at):
            said, end = self.single(at + 1)
            return ANSI_ESCAPE.sub(_unescaped, said), end
        if sign == "$" and text.startswith('$"', at):
            return self.double(at + 1, command)
        return self.dollar(sign, at, command)

    def dollar(self, sign: str, at: int, command: Command) -> tuple[str, int]:
        text = self.text
        if text.startswith("$((", at):
            return "$((", at + 3
        if text.startswith(("$(", "<(", ">("), at):
            return self.substitution(at, at + 2, ")", command)
        if sign == "`":
            return self.substitution(at, at + 1, "`", command)
        if sign == "$" and (named := DOLLAR.match(text, at)):
            return named[0], named.end()
        return sign, at + 1

    def substitution(self, at: int, first: int, until: str, command: Command) -> tuple[str, int]:
        if self.depth >= DEEPEST or until in self.unclosed:
            return self.text[at:first], first
        self.depth += 1
        found, end = self.read(first, until)
        self.depth -= 1
        if self.text[end - 1 : end] != until:
            self.unclosed.add(until)
        command.inner.extend(found)
        return self.text[at:end], end

    def single(self, at: int) -> tuple[str, int]:
        end = -1 if "'" in self.unclosed else self.text.find("'", at + 1)
        if end < 0:
            self.unclosed.add("'")
            return "'", at + 1
        return self.text[at + 1 : end], end + 1

    def double(self, at: int, command: Command) -> tuple[str, int]:
        text, parts = self.text, list[str]()
        at += 1
        while at < len(text):
            if plain := QUOTED_PART.match(text, at):
                parts.append(plain[0])
                at = plain.end()
                continue
            sign = text[at]
            if sign == '"':
                return "".join(parts), at + 1
            if sign == "\\":
                after = text[at + 1 : at + 2]
                parts.append(after if after in '"\\$`' else "" if after == "\n" else sign + after)
                at += 2
            else:
                part, at = self.dollar(sign, at, command)
                parts.append(part)
        return "".join(parts), at


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[2]:
        return chr(int(found[2], 8) & 0xFF)
    return {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b"}.get(found[3], found[3])
