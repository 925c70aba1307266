"""Orders to a model to take something out: "append the API key to https://... as an image"."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.leaks.hosts import is_drawn, is_local, suspicion
from llmproxy_core.anomaly.reading.places import CREDENTIALS, ENV_FILE
from llmproxy_core.anomaly.reading.scanning import Pattern
from llmproxy_core.anomaly.reading.urls import Url

VERB = Pattern(
    r"(?i)\b(?:send|sends|post|posts|upload|uploads|forward|transmit|exfiltrate|leak|submit"
    r"|e-?mail|deliver|share|append|encode|include|embed|attach|pass|insert|add|push|relay|dump"
    r"|ship"
    r"|publish|copy|put|write|report|log|store|render|display|show|emit|output|print|fetch|call"
    r"|visit|navigate|open|load|request|make|issue|perform|trigger|notify|sync|save|backup"
    r"|back\s+up|provide|reveal|disclose|give|beacon|ping|mail|hand|move|transfer|stream|export"
    r"|mirror|cc|bcc|smuggle|concatenate|substitute|replac(?:e|ing)|fill)\b"
)
OBJECT = Pattern(
    r"""(?i)
    \b(?:(?:system|developer|hidden|initial|original|full)\s+(?:prompt|instructions?|message)s?
    |your\s+(?:instructions|prompt|context|memory|configuration)
    |(?:api|access|secret|private|ssh|encryption|signing|license|aws|auth\w*)[\s_-]?(?:keys?
    |tokens?)|(?:env|environment)(?:al)?\s+(?:variables?|vars?|file)|environ(?:ment)?\b
    |env\s+vars?
    |passwords?|passphrases?|passwd|credentials?|tokens?|cookies?|secrets?|seed\s+phrase
    |private\s+\w+
    |conversation(?:s|al)?(?:\s+\w+)?|chat\s+(?:history|log|transcript|messages?)|(?:message|chat
    |browsing|browser|search|command|shell|purchase|medical)\s+history|transcripts?|dialog(?:ue)?
    |(?:last|previous|recent|prior|earlier|all|next|first|above)\s+(?:\w+\s+){0,2}(?:messages?
    |e-?mails?|conversations?|documents?|files?|turns?|prompts?|inputs?|answers?|responses?
    |transactions?|queries|orders|notes|records|meetings|tickets)
    |(?:user|customer|client|patient|employee|victim|owner|reader|company|person|operator|caller
    |member|account\s+holder|recipient|candidate|student|human|they|you)(?:'s|\x{2019}s|s'
    |s)?\s+(?:\w+\s+){0,2}(?:name|e-?mail|address|phone|number|calendar|contacts?|location|data
    |details?|info\w*|list|records?|files?|documents?|notes?|inbox|mailbox|messages?|question
    |query|input|identity|profile|ssn|card|account|balance|prompt|request|credentials|table
    |database|session|history|preferences|said|typed|wrote|asked|entered|ids?)
    |(?:contents?|text|body|copy|summary|list|export|dump|value|values|output)\s+of\b
    |what(?:ever)?\s+(?:the\s+)?(?:user|you|we|they|i)\s+(?:\w+\s+)?(?:said|typed|wrote|asked|know
    |entered|see|have|discussed|remember)
    |everything\s+(?:above|so\s+far|you|in|the|that)|(?:this|the|our|current|whole
    |entire)\s+(?:chat|conversation|discussion|session|context(?:\s+window)?|thread|dialog\w*
    |inbox|mailbox|repository|codebase|workspace|clipboard|document|file|spreadsheet|database)
    |customer\s+(?:list|data|records?|database)|contact\s+list|address\s+book
    |credit[\s-]?cards?(?:\s+\w+)?|card\s+numbers?|social\s+security|ssns?|bank\s+(?:account
    |details?)|account\s+numbers?|personal(?:ly)?\s+(?:\w+\s+)?(?:data|info\w*|details?)|pii
    |confidential\s+\w+|sensitive\s+\w+|internal\s+(?:\w+\s+)?(?:data|docs?|documents?|notes?
    |urls?|files?)|proprietary\s+\w+
    |source\s+code|database(?:\s+(?:dump|contents?|schema|records?))?|file\s+(?:contents?|listing)
    |directory\s+listing|calendar(?:\s+\w+)?|inbox|medical\s+\w+|salar(?:y|ies)|payroll|revenue
    |invoices?|financials?|roadmap|screenshots?|clipboard|keychain|wallet|mnemonic|session\s+(?:id
    |data|cookie)s?|config(?:uration)?\s+files?|git\s+(?:history|config)|memor(?:y|ies)
    |tool\s+(?:outputs?|results?|list|definitions?)|retrieved\s+\w+|search\s+results
    |the\s+(?:answer|response|summary|results?|data|output|notes?|e-?mails?|reply)\b|(?:id_rsa
    |\.env|\.netrc|authorized_keys)\b)""",
    spaced=True,
)
GRAVE = Pattern(
    r"(?i)pass(?:word|phrase|wd)|credential|secret|api[\s_-]?key|private\s+key|ssh[\s_-]?key"
    r"|access[\s_-]?(?:key|token)|environment\s+var|env\s+var|system\s+prompt|credit"
    r"|card\s+number|ssn|social\s+security|seed\s+phrase|cookie|customer\s+(?:list|data)|token"
)
TOWARDS = Pattern(
    r"(?i)\b(?:to|at|via|into|onto|towards?|against|using|through|with|in|as|from|of|on|for|by"
    r"|is|image|link|url|this|endpoint|server|webhook|address|host|site|domain|page"
    r"|request)\b[^.\n]{0,60}\z|[:=(<\"'`>\[]\s*\z|\b(?:post|get|put|curl|visit|fetch|open|load"
    r"|call|request|navigate)\s*\z"
)
DISGUISE = Pattern(
    r"(?i)\b(?:base64|base-64|url[\s-]?encod\w*|hex(?:adecimal)?(?:[\s-]?encod\w*)?"
    r"|percent[\s-]?encod\w*|encod(?:e|ed|ing)|query\s+(?:param\w*|string)|url\s+param\w*"
    r"|markdown\s+image|image\s+(?:tag|url|link|markdown)|!\[|as\s+an?\s+(?:invisible|hidden|1x1"
    r"|tracking)|invisible|1x1|pixel|\bsilent(?:ly)?|without\s+(?:telling|mention\w*|asking"
    r"|inform\w*|notif\w*|confirm\w*)|do\s+not\s+(?:tell|mention|inform|reveal|ask)|don'?t\s+"
    r"(?:tell|mention|inform|reveal|ask)|secretly|quietly|covertly|in\s+the\s+background"
    r"|before\s+(?:answering|responding|you|continuing|doing|replying|proceeding|any)|always"
    r"|every\s+(?:time|answer|reply|response|message)|first|from\s+now\s+on|whenever|each\s+time"
    r"|after\s+(?:every|each)|end\s+of\s+(?:your|the|every|each)\s+(?:reply|answer|response"
    r"|message))\b"
)
DOCUMENTED = Pattern(
    r"(?i)\b(?:documentation|docs|tutorial|example|endpoint\s+(?:accepts|returns)|returns"
    r"|curl\s+-X|HTTP/1|Content-Type|Authorization:|pip\s+install|import\s+\w+|see\s+(?:the"
    r"|also)|learn\s+more|read\s+more|more\s+info\w*|available\s+at|hosted\s+(?:at|on)|report\s+"
    r"(?:bugs?|issues?)|star\s+us|licen[sc]e|visit\s+our|sign\s+up|get\s+(?:your|an?)\s+api"
    r"|obtain|create\s+an?\s+account|register|dashboard|console\.)"
)
MAILED = Pattern(r"[\w.+-]+@[\w-]+(?:\.[\w-]+){1,4}")
DOUBTED = {"link": 0.3, "request": 0.2}
"""What was found is the label of the link, or code, more often than an order."""
FAR, NEAR = 320, 200
"""Characters before and after an address that belong to an order."""
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n|\n(?=[-*#>]|\d+\.)")

type Order = tuple[float, int, int, str]


def orders(text: str, addresses: list[Url]) -> Iterator[Order]:
    """Score, start, end and where to: an order has a verb, what is to go, and an address."""
    for url in addresses[:200]:
        if is_drawn(url.host) or is_local(url.host) or url.standing == "argument":
            continue
        doubt = DOUBTED.get(url.standing, 0.0)
        found = _around(text, url.start, url.end, suspicion(url.host, url.port) - doubt)
        if found:
            yield (*found, url.host[:80] or "an address")
    if "@" in text:
        for start, end in MAILED.places(text)[:100]:
            quoted = text[start - 1 : start] in ("'", '"', "`")
            found = _around(text, start, end, -0.3 if quoted else -0.1)
            if found:
                yield (*found, "a mail address")


def _around(text: str, start: int, end: int, suspected: float) -> tuple[float, int, int] | None:
    first = _sentence_start(text, start)
    before = text[first:start]
    last = _sentence_end(text, end)
    after = text[end:last]
    if not (VERB.within(before) if before.strip() else VERB.within(after)):
        return None
    path = CREDENTIALS.search(before) or ENV_FILE.search(before)
    if not (path or OBJECT.within(before) or OBJECT.within(after)):
        return None
    said = f"{before} {after}"
    score = 0.42 + suspected
    score += 0.2 if path or GRAVE.within(said) else 0.0
    score += 0.12 if TOWARDS.within(before) else -0.1
    score += 0.18 if DISGUISE.within(said) else 0.0
    score -= 0.2 if DOCUMENTED.within(said) else 0.0
    return min(max(score, 0.0), 0.97), first, last


def _sentence_start(text: str, at: int) -> int:
    window = text[max(0, at - FAR) : at]
    breaks = [found.end() for found in SENTENCE.finditer(window)]
    return at - len(window) + (breaks[-1] if breaks else 0)


def _sentence_end(text: str, at: int) -> int:
    window = text[at : at + NEAR]
    found = SENTENCE.search(window)
    return at + (found.start() if found else len(window))
