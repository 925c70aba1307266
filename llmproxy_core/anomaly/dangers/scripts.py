"""Scripts in other languages than the shell's: PowerShell, Python, JavaScript, Perl, Ruby, PHP."""

import base64
import re

from llmproxy_core.anomaly.dangers.calls import POWERSHELLS, Call
from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.reading.places import breadth, credential, persistent
from llmproxy_core.anomaly.reading.scanning import Pattern

WHOLE = (
    r"['\"]?(?:[a-z]:\\?(?:\*|(?:windows|users|program\w*)\b[\w\\]*)?|~|\$home"
    r"|\$env:(?:userprofile|systemroot|systemdrive)|%\w+%|/|\*|\.)['\"]?(?:\s+|$)"
)
POWERSHELL: tuple[tuple[Pattern, Danger], ...] = (
    (
        Pattern(
            r"(?i)\b(?:iex|invoke-expression)\b.{0,300}?\b(?:irm|iwr|curl|wget|invoke-"
            r"(?:webrequest|restmethod)|download(?:string|data)|webclient|frombase64string)\b"
            r"|(?:download(?:string|data)\b|\b(?:irm|iwr|invoke-(?:webrequest"
            r"|restmethod))\b).{0,300}?\|\s*(?:iex|invoke-expression)\b"
        ),
        Danger(0.95, "critical", "runs a program straight from the net"),
    ),
    (
        Pattern(
            r"(?i)\bset-mppreference\b.{0,120}?-disable|\badd-mppreference\b.{0,80}?-exclusion"
            r"|set-netfirewallprofile\b.{0,120}?-enabled\s+(?:false|\$false|0)"
            r"|\bstop-service\b.{0,80}?(?:windefend|mpssvc|sense)|\bdisable-(?:netfirewallrule"
            r"|windowsoptionalfeature)|amsiutils|set-executionpolicy\s+(?:-\w+\s+)*"
            r"(?:unrestricted|bypass)"
        ),
        Danger(0.85, "high", "switches off what guards the machine"),
    ),
    (
        Pattern(
            rf"(?i)\b(?:remove-item|ri|rd|rmdir|del|erase)\b(?:\s+[-/]\w+)*\s+(?:-r\w*|/s)"
            rf"(?:\s+[-/]\w+)*\s+{WHOLE}|\b(?:remove-item|ri|rd|rmdir|del)\s+{WHOLE}(?:-\w+\s+)*(?:-r|/s)"
        ),
        Danger(0.9, "critical", "deletes a whole drive or home folder"),
    ),
    (
        Pattern(
            r"(?i)\b(?:format-volume|clear-disk|initialize-disk|remove-partition)\b"
            r"|\bvssadmin\s+delete|\bwbadmin\s+delete|\bwmic\s+shadowcopy\s+delete"
            r"|\bbcdedit\b.{0,80}?recoveryenabled\s+no|\bcipher\s+/w"
        ),
        Danger(0.95, "critical", "deletes a disk, or what could bring it back"),
    ),
    (
        Pattern(
            r"(?i)\bclear-history\b|\bclear-eventlog\b|\bwevtutil\s+cl\b|\bremove-eventlog\b"
            r"|limit-eventlog"
        ),
        Danger(0.8, "high", "wipes the traces of what was done"),
    ),
    (
        Pattern(
            r"(?i)\b(?:new-scheduledtask|register-scheduledtask|new-service|schtasks\s+/create"
            r"|new-localuser|add-localgroupmember)\b|currentversion\\run\b"
            r"|currentversion\\\\run\b"
        ),
        Danger(0.75, "high", "stays on the machine for good, or lets somebody in"),
    ),
    (
        Pattern(r"(?i)net\.sockets\.tcpclient"),
        Danger(0.9, "critical", "hands a shell of this machine to another one"),
    ),
    (
        Pattern(
            r"(?i)\bmimikatz\b|\binvoke-mimikatz\b|\bminidump\b|\blsass\b"
            r"|get-credential\b.{0,60}?export|convertfrom-securestring"
        ),
        Danger(0.9, "critical", "takes passwords out of the machine"),
    ),
    (
        Pattern(
            r"(?i)\bcertutil(?:\.exe)?\b.{0,80}?-urlcache|\bbitsadmin\b.{0,80}?/transfer|\bmshta"
            r"(?:\.exe)?\s+(?:https?:|javascript:|vbscript:)|\bregsvr32\b.{0,80}?/i:http"
            r"|\brundll32\b.{0,80}?javascript:"
        ),
        Danger(0.85, "high", "fetches or runs a program from the net by a detour"),
    ),
)
WINDOWS = Pattern(
    r"(?i)\b(?:iex|invoke-|download(?:string|data)|irm|iwr|mppreference|netfirewall|stop-service|disable-"
    r"|amsiutils|set-executionpolicy|remove-item|ri|rd|rmdir|del|erase|format-volume|clear-|initialize-disk"
    r"|remove-|vssadmin|wbadmin|wmic|bcdedit|cipher|wevtutil|limit-eventlog|scheduledtask|new-|register-"
    r"|schtasks|add-|currentversion|net\.sockets|mimikatz|minidump|lsass|get-credential"
    r"|convertfrom-securestring|certutil|bitsadmin|mshta|regsvr32|rundll32|set-)"
)
"""A look at most texts ends here."""
ENCODED = re.compile(
    r"(?i)(?:^|\s)[-/]e(?:c|nc|nco|ncod|ncode|ncoded|ncodedc\w*)?\s+['\"]?([A-Za-z0-9+/=]{16,})"
)
NET = r"(?:urlopen|requests?\.(?:get|post)|urllib|http(?:x|lib|s)?\.\w+|fetch\(|LWP|\bget\(\s*['\"]https?:|open-uri|file_get_contents\(\s*['\"]https?|Net::HTTP|curl|wget)"
CODE: tuple[tuple[Pattern, Danger], ...] = (
    (
        Pattern(rf"(?s){NET}.{{0,200}}?(?:\.then\(\s*eval\b|\|\s*eval\b)"),
        Danger(0.9, "critical", "runs a program straight from the net"),
    ),
    (
        Pattern(
            rf"\b(?:exec|eval|compile|Function|instance_eval"
            rf"|runInThisContext)\s*\(?.{{0,200}}?{NET}"
        ),
        Danger(0.9, "critical", "runs a program straight from the net"),
    ),
    (
        Pattern(
            r"\b(?:exec|eval|Function|system|loads)\s*\(.{0,200}?(?:b64decode|base64_decode"
            r"|b32decode|unhexlify|fromhex|fromCharCode|atob\(|zlib\.decompress|marshal\.loads"
            r"|codecs\.decode|Buffer\.from\([^)]*base64|decode64|gzinflate|str_rot13)"
        ),
        Danger(0.9, "critical", "runs a text that is disguised by an encoding"),
    ),
    (
        Pattern(
            r"socket\b.{0,400}?(?:dup2|pty\.spawn|/bin/(?:ba|z)?sh|subprocess|child_process"
            r"|exec\b|os\.execute|cmd\.exe)|fsockopen\(.{0,200}?(?:exec|/bin/sh|proc_open)|TCPSocket\.(?:new"
            r"|open).{0,200}?(?:exec|sh)|(?:net|require\(.net.\))\.(?:Socket|connect"
            r"|createConnection).{0,300}?(?:spawn|exec|/bin/sh)"
        ),
        Danger(0.95, "critical", "hands a shell of this machine to another one"),
    ),
    (
        Pattern(r"(?s)pickle\.loads\(.{0,100}?(?:urlopen|requests\.|recv\()"),
        Danger(0.85, "high", "runs a program straight from the net"),
    ),
    (
        Pattern(
            r"(?s)while\s+(?:True|1)\s*:\s*os\.fork\(\)|fork\s+while\s+(?:1|fork)|fork\s+while\s+true"
        ),
        Danger(0.9, "high", "starts processes without end"),
    ),
)
REMOVED = re.compile(
    r"(?:rmtree|removedirs|rmdirSync|rmSync|remove_tree|rm_rf|rm_r|rimraf(?:\.sync)?|unlink(?:\s+glob)?"
    r"|emptyDirSync|remove_dir_all|removeSync|deltree)\s*\(?\s*(?:(?:os\.path\.expanduser|Path"
    r"|pathlib\.Path|path\.resolve|Dir\.home|os\.homedir)\s*\(\s*)?(['\"][^'\"\n]{1,200}['\"]"
    r"|Path\.home\(\)|os\.homedir\(\)|Dir\.home|process\.env\.HOME"
    r"|os\.environ\[['\"]HOME['\"]\])"
)
SHELLED = re.compile(
    r"(?:os\.(?:system|popen)|subprocess\.\w+|child_process'?\)?\.\w+|exec(?:Sync|File"
    r"|FileSync)?|spawn(?:Sync)?|system|shell_exec|passthru|popen|check_output|check_call"
    r"|getoutput|Runtime\.getRuntime\(\)\.exec|execa|\$)\s*\(?\s*(?:\["
    r"(?P<list>[^\]\n]{1,2000})\]|[rbf]?(?P<quote>['\"`])(?P<text>(?:(?!(?P=quote))[^\n\\]"
    r"|\\.){1,4000})(?P=quote))"
)
STRINGS = re.compile(r"['\"]([^'\"\n]{1,400})['\"]")
OPENED = re.compile(
    r"(?:open|read_text|read_bytes|readFile(?:Sync)?|file_get_contents|File\.(?:read|open|write)"
    r"|writeFile(?:Sync)?|appendFile(?:Sync)?|Path|write_text|copy\w*|load_dotenv|expanduser"
    r"|file_put_contents|slurp)\s*\(\s*[rbf]?['\"]([^'\"\n]{1,300})['\"]\s*(?:,\s*['\"]"
    r"([rwaxb+t]{1,4})['\"])?"
)
FETCHED_CREDENTIALS = re.compile(r"(?i)169\.254\.169\.254|metadata\.google\.internal")


def judged_powershell(call: Call) -> Danger | None:
    """A script in `powershell -EncodedCommand ...`; what else it is told is judged as it stands."""
    if call.name not in POWERSHELLS:
        return None
    encoded = ENCODED.search(" ".join(call.args))
    if encoded is None:
        return None
    return judged_windows(_decoded(encoded[1])) or Danger(
        0.85, "high", "runs a text that is disguised by an encoding"
    )


def judged_windows(text: str) -> Danger | None:
    """Commands of Windows, wherever they stand in a text."""
    if not WINDOWS.within(text):
        return None
    return next((danger for pattern, danger in POWERSHELL if pattern.within(text)), None)


def judged_code(text: str) -> Danger | None:
    """A script in Python, JavaScript, Perl, Ruby or PHP; the shell texts in it are judged apart."""
    for pattern, danger in CODE:
        if pattern.within(text):
            return danger
    for found in REMOVED.finditer(text):
        target = found[1].strip("'\"")
        if breadth(target) or ("home" in target.lower() and not target.startswith(("/", "."))):
            return Danger(0.95, "critical", "deletes a folder that the system or every user needs")
    return _opened(text)


def shell_texts(text: str) -> list[str]:
    """What a script has a shell do: `os.system("rm -rf /")`."""
    found = []
    for match in SHELLED.finditer(text):
        if match["text"] is not None:
            found.append(match["text"].replace('\\"', '"').replace("\\'", "'"))
        else:
            words = STRINGS.findall(match["list"])
            found.append(" ".join("'" + word + "'" if " " in word else word for word in words))
    return found[:50]


def _opened(text: str) -> Danger | None:
    for match in OPENED.finditer(text):
        path, mode = match[1], match[2] or "r"
        writes = any(letter in mode for letter in "wax+") or match[0].startswith(
            ("write", "append", "file_put", "File.write")
        )
        if writes and (place := persistent(path)):
            return Danger(0.85 if place[0] == "high" else 0.65, place[0], f"writes to {place[1]}")
        if not writes and (place := credential(path)):
            return Danger(0.85 if place[0] != "medium" else 0.55, place[0], f"reads {place[1]}")
    if FETCHED_CREDENTIALS.search(text):
        return Danger(
            0.9, "critical", "asks the cloud's metadata service, which hands out credentials"
        )
    return None


def _decoded(text: str) -> str:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return ""
    return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-8", "replace")
