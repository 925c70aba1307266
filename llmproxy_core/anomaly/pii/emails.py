"""E-mail addresses, around each `@`."""

import re
from collections.abc import Iterator

from llmproxy_core.anomaly.pii.mention import Mention

LOCAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+-_~"
LONGEST_LOCAL = 64
DOMAIN = re.compile(r"@((?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,8}([A-Za-z]{2,24}))(?![\w@-])")
NOBODY = re.compile(
    r"^(?:git|no-?reply|do-?not-?reply|noreply|mailer-daemon|postmaster|root|user|username|you|your\w*"
    r"|name|email|someone|somebody|hg|svn|ssh|actions)$",
    re.IGNORECASE,
)
"""Local parts that are no person's."""
_NO_DOMAIN = (
    "png jpg jpeg gif svg webp ico css scss js mjs cjs ts tsx jsx json map py pyc rs go rb java kt c h"
    " cpp md txt html htm xml yaml yml toml lock sh so dll exe zip gz tar whl local internal invalid"
)
NO_DOMAIN = frozenset(_NO_DOMAIN.split())
"""Endings that are those of files: `logo@2x.png`, `pkg@types.ts`."""


def emails(text: str) -> Iterator[Mention]:
    at = text.find("@")
    while at > 0:
        found = DOMAIN.match(text, at)
        if found is not None and found[2].lower() not in NO_DOMAIN:
            before = text[max(0, at - LONGEST_LOCAL) : at]
            local = before[len(before.rstrip(LOCAL)) :].lstrip(".!#$%&'*+-~")
            if local and not local.endswith(".") and not _is_nobody(local, found[1]):
                start = at - len(local)
                yield Mention(start, found.end(), "email", "an e-mail address", 0.9, "medium")
        at = text.find("@", at + 1)


def _is_nobody(local: str, domain: str) -> bool:
    return bool(NOBODY.match(local)) or domain.endswith(("noreply.github.com", "example.invalid"))
