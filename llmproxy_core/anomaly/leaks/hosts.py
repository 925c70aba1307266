"""Hosts that draw what an address says, and hosts made to collect what is sent to them."""

import re

DRAWN = re.compile(
    r"""(?ix)
    (?:^|\.)(?:shields\.io|badgen\.net|badge\.fury\.io|quickchart\.io|chart\.googleapis\.com
    |chart\.apis\.google\.com
    |latex\.codecogs\.com|mermaid\.ink|kroki\.io|plantuml\.com|via\.placeholder\.com
    |placehold\.(?:co|it)|dummyimage\.com
    |placekitten\.com|picsum\.photos|star-history\.(?:com|dera\.page)|contrib\.rocks|codecov\.io
    |travis-ci\.(?:org|com)
    |circleci\.com|readthedocs\.(?:io|org)|gravatar\.com|githubusercontent\.com|github\.com
    |gitlab\.com|bitbucket\.org
    |googleusercontent\.com|gstatic\.com|googleapis\.com|google\.com|wikimedia\.org|wikipedia\.org
    |twimg\.com|ytimg\.com
    |vimeocdn\.com|cloudfront\.net|amazonaws\.com|cloudinary\.com|imgix\.net|imgur\.com
    |unsplash\.com|media-amazon\.com
    |pixabay\.com|website-files\.com|sstatic\.net|fbcdn\.net|licdn\.com|akamaihd\.net|fastly\.net
    |jsdelivr\.net|unpkg\.com
    |windows\.net|azureedge\.net|microsoft\.com|apple\.com|mzstatic\.com|notion\.so|medium\.com
    |atlassian\.net|slack-edge\.com
    |githubassets\.com|npmjs\.com|npmjs\.org|pypi\.org|pepy\.tech|openai\.com|oaiusercontent\.com
    |anthropic\.com|claude\.ai
    |stripe\.com|paypal\.com|youtube\.com|youtu\.be|twitter\.com|x\.com|linkedin\.com|reddit\.com
    |facebook\.com|vercel\.(?:com|app)
    |netlify\.(?:com|app)|herokuapp\.com|render\.com|skillicons\.dev|komarev\.com|hits\.sh
    |carbon\.now\.sh|huggingface\.co)\Z"""
)
"""Well known; nobody reads there what a stranger's image address said."""
COLLECTOR = re.compile(
    r"""(?ix)
    (?:^|\.)(?:webhook\.(?:site|cool)|requestbin\.\w+|request(?:catcher|inspector|repo
    |hook)\.(?:com|net|site)|pipedream\.(?:net|com)
    |requestb\.in|hookb\.in|beeceptor\.com|ptsv\d?\.com|postb\.in|httpdump\.app|mockbin\.(?:org
    |io)|hookdeck\.com|smee\.io|typedwebhook\.tools
    |ngrok(?:-free)?\.(?:io|app|dev|com)|trycloudflare\.com|loca\.lt|localhost\.run|serveo\.net
    |localtunnel\.me|burpcollaborator\.net
    |oastify\.com|oast\.\w+|interact\.sh|interactsh\.com|canarytokens\.(?:com|org)|dnslog\.(?:cn
    |pw|store)|ceye\.io|bxss\.me|xss\.ht|eyes\.sh
    |dnsbin\.\w+|requestbin\.\w+|bin\.\w+\.workers\.dev|transfer\.sh|file\.io|0x0\.st|oshi\.at
    |temp\.sh|paste\.ee|hastebin\.com
    |termbin\.com|ix\.io|sprunge\.us|anonfiles\.com|gofile\.io|bashupload\.com|filebin\.net
    |iplogger\.\w+|grabify\.link|2no\.co|yip\.su)\Z"""
)
NAMED = re.compile(
    r"(?i)(?:^|[.-])(?:evil|attack(?:er|ers)?|malicious|malware|exfil\w*|hacker?s?|steal(?:er"
    r"|ing)?|stolen|phish\w*|leak(?:s|y|ed)?|collect(?:or|ors)?|c2|c-?n-?c"
    r"|botnet|badguy|bad-?(?:site|actor|domain|host)|adversary|rogue|sink(?:hole)?|exploit\w*"
    r"|pwn\w*|spy\w*|keylog\w*|grabber|harvest\w*|siphon|drop(?:zone|box-sync)?|loot)(?=[.-]|\Z)"
)
ADDRESS = re.compile(r"\A(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]|0x[0-9a-f]{8}|\d{8,10})\Z")
LOCAL = re.compile(
    r"\A(?:localhost|127\.[\d.]+|0\.0\.0\.0|10\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d"
    r"|3[01])\.[\d.]+|\[::1\]|[\w-]+|[\w.-]+\.(?:local|localhost|internal|lan|svc))\Z"
)


def is_drawn(host: str) -> bool:
    """A well-known host that makes pictures, or keeps those of others."""
    return DRAWN.search(host) is not None


def is_local(host: str) -> bool:
    return LOCAL.match(host) is not None


def suspicion(host: str, port: str) -> float:
    """From 0 to 0.35."""
    if COLLECTOR.search(host):
        return 0.35
    if is_local(host):
        return 0.0
    if ADDRESS.match(host):
        return 0.25
    return 0.25 if NAMED.search(host) else 0.1 if port not in ("", "443", "80") else 0.0
