"""Scripts that send away what they read: `requests.post(url, data=open(".env").read())`."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.leaks.commands import OWN
from llmproxy_core.anomaly.reading.places import credential
from llmproxy_core.anomaly.reading.scanning import Pattern

SINK = Pattern(
    r"(?i)\b(?:requests?|httpx|session|client|axios|got|superagent|aiohttp\.\w+|urllib3?\.\w+"
    r"|http\.client|\$?\bhttp)\s*\.\s*(?:get|post|put|patch|request|send|urlopen)\s*\("
    r"|\burlopen\s*\(|\burlretrieve\s*\(|(?:^|[^\w.])fetch\s*\(|\bsendBeacon\s*\(|new\s+(?:Image"
    r"|WebSocket|EventSource)\s*\(|\bXMLHttpRequest\b|\.(?:src|href|location)\s*=(?:[^=]|$)"
    r"|\blocation\s*=(?:[^=]|$)"
    r"|\binvoke-(?:webrequest|restmethod)\b|\b(?:iwr|irm)\s|upload(?:string|data|file)\s*\("
    r"|\bsmtplib\b|\.sendmail\s*\(|\.send_message\s*\(|socket\.(?:send|sendall|connect"
    r"|gethostbyname)\s*\(|\.sendall\s*\(|\bgethostbyname\s*\(|curl_(?:setopt|exec)"
    r"|file_get_contents\s*\(\s*['\"]https?|https?\.(?:get|request)\s*\(|Net::HTTP|HttpClient"
)
KEPT = Pattern(
    r"(?i)environ|getenv|process\.env|document\.|storage|indexeddb|clipboard|credentials"
    r"|get-content|\bgc\b|env:|getpass|keyring|uname\(|gethostname|_prompt|conversation|_history"
    r"|api_key|secret_key|private_key|password|user_data|customer_|so_far|check_output|popen"
    r"|child_process|execsync|shell_exec|subprocess|_(?:cookie|session|server|env)\b|env\.to_"
    r"|getproperty|%env|open\s*\(|read_text|read_bytes|readfile|readalltext|file\.read|path\s*\("
    r"|expanduser|readstream"
)
"""What is in every text with a leak."""
SOURCE = re.compile(
    r"""(?ix)
    \bos\.environ\b(?!\s*(?:\[|\.get|\.setdefault|\.pop|\.update|\.copy\(\)\s*$))
    |\bos\.environ(?:\[|\.get\()\s*["'](?:AWS_|\w*(?:SECRET|PASSW|PRIVATE|CREDENTIAL|TOKEN
    |KEY))\w*|\bos\.getenv\(\s*["']\w*(?:SECRET|PASSW|PRIVATE|CREDENTIAL|TOKEN|KEY)\w*
    |JSON\.stringify\(\s*process\.env\b|\bprocess\.env\b(?!\s*[.\[])|\bprocess\.env\.\w*(?:SECRET
    |PASSW|PRIVATE|TOKEN|KEY)\w*|\bdocument\.(?:cookie|body\.inner\w+|documentElement\.\w+)
    |\b(?:local|session)Storage\b|\bindexedDB\b|navigator\.(?:clipboard|credentials)
    |(?:get-content|\bgc|\[system\.io\.file\]::readalltext\()\s*['"(]*[^\s'")]+
    |get-childitem\s+env:|\bgci\s+env:|\$env:\w*(?:secret|token|key|pass)\w*
    |\[environment\]::getenvironmentvariables
    |\bgetpass\.\w+|\bkeyring\.get_password|platform\.(?:uname|node)\(\)|socket\.gethostname\(\)
    |\b(?:system_prompt|conversation_history|chat_history|conversation|api_key|secret_key
    |private_key|credentials|passwords?|user_data|customer_\w+|messages_so_far)\b(?=\s*[,)}\]+.]
    |\s*$)
    |(?:subprocess\.(?:check_output|run|getoutput)|os\.popen|child_process\.\w+|execSync
    |shell_exec)\s*\(\s*[^)\n]{0,80}(?:env|whoami|cat\s|id\b|history|printenv)|\$_(?:COOKIE
    |SESSION|SERVER|ENV)\b|\bENV\.to_(?:h|a)|System\.getenv\(\)|%ENV\b"""
)
OPENED = re.compile(
    r"""(?i)(?:open|read_text|read_bytes|readFile(?:Sync)?|file_get_contents|File\.read|Path|expanduser|readalltext|get-content|gc|createReadStream)\s*\(?\s*(?:os\.path\.expanduser\(\s*)?[rbf]?['"]([^'"\n]{2,200})['"]"""
)
LOGIN = re.compile(
    r"(?i)(?:headers?|auth|authorization|bearer|api[_-]?key|token|x-api-key"
    r"|key)\b\s*['\"]?\s*[:=]\s*(?:\{|f?['\"](?:bearer|basic|token)?\s*|\()*[^,;\n]{0,40}\Z"
)
LOCAL = re.compile(
    r"(?i)https?://(?:localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|api\.(?:openai|anthropic|github"
    r"|stripe|slack|groq|mistral|cohere)\.com)"
)
MOST = 300
"""Places of one text."""
REACH = 400
"""Characters between what is read and where it goes."""

type Leak = tuple[float, int, int, str]


def leaks(text: str) -> Iterator[Leak]:
    """Score, start, end and what goes."""
    places = SINK.places(text)[:MOST]
    if not places or not KEPT.within(text):
        return
    done = -1
    for first, last in places:
        if first < done:
            continue
        start, end = max(0, first - REACH // 2), min(len(text), last + REACH)
        found = _read(text, start, end, last)
        if found is not None:
            done = end
            yield found


def _read(text: str, start: int, end: int, sink: int) -> Leak | None:
    window = text[start:end]
    if (
        "://" not in window
        and "@" not in window
        and "smtp" not in window.lower()
        and "socket" not in window.lower()
    ):
        return None
    if LOCAL.search(window):
        return None
    for opened in OPENED.finditer(window):
        place = credential(opened[1]) or credential("/" + opened[1])
        if place or OWN.search(opened[1]):
            return 0.88, start, end, place[1].partition(",")[0] if place else "a file of the system"
    for source in SOURCE.finditer(window):
        if not LOGIN.search(window[: source.start()][-90:]):
            said = (
                "what a browser keeps"
                if "torage" in source[0] or "cookie" in source[0].lower()
                else "what a script reads"
            )
            after = start + source.start() >= sink
            return (0.72 if after else 0.58), start, end, said
    return None
