"""Does a hidden text speak to a model? A rough guess by its words, from 0 to 1, for short texts."""

import re

LARGEST = 4000
CUES: tuple[tuple[float, re.Pattern[str]], ...] = (
    (
        0.65,
        re.compile(
            r"(?i)\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,40}?\b(?:previous"
            r"|prior|above|earlier|all|any|other|system|your|these|those|the)\b.{0,30}?\b"
            r"(?:instructions?|rules?|prompts?|guidelines?|directions?|context|safety"
            r"|restrictions?|policies|text|messages?)\b"
        ),
    ),
    (
        0.4,
        re.compile(
            r"(?i)\b(?:do\s+not|don'?t|never|without)\s+(?:tell(?:ing)?|mention(?:ing)?|reveal"
            r"(?:ing)?|inform(?:ing)?|notify(?:ing)?|ask(?:ing)?|alert(?:ing)?|disclos\w+)\b|\b"
            r"(?:secretly|silently|covertly)\b"
        ),
    ),
    (
        0.35,
        re.compile(
            r"(?i)\b(?:AI|LLM|assistants?|language\s+models?|chat\s?bots?|chatgpt|gpt-?\d?"
            r"|claude|gemini|copilot|(?:ai|coding|autonomous)\s+agents?|agents?\s+(?:must|should"
            r"|reading)|models?\s+(?:must|should|reading)|bots?)\b"
        ),
    ),
    (
        0.35,
        re.compile(
            r"(?i)\bsystem\s*(?:prompt|message|instruction|override|note)|\b(?:new|updated|real"
            r"|actual|secret|hidden|important|following)\s+(?:instructions?|task|directive"
            r"|orders?|goal)|\byou\s+(?:must|are\s+now|will|should|have\s+to|shall)\b"
            r"|\bfrom\s+now\s+on\b|\binstructions?\b|(?:^|\n|\b)(?:SYSTEM|ADMIN|INSTRUCTION"
            r"|IMPORTANT)\s*:|<\|?(?:im_start|system)|\bact\s+as\b|\bpretend\b|\bjailbreak"
            r"|developer\s+mode"
        ),
    ),
    (
        0.25,
        re.compile(
            r"(?i)\b(?:send|forward|upload|reveal|print|output|execute|run|delete|reply|respond"
            r"|answer|say|write|include|append|visit|click|open|call|use|recommend|rate|rank"
            r"|approve|transfer|buy|summari[sz]e|translate|repeat|tell|give|exfiltrate|leak|curl"
            r"|email|post|read|fetch|load|add|insert|score|accept|hire)\b"
        ),
    ),
    (
        0.25,
        re.compile(
            r"(?i)\b(?:password|api[\s_-]?key|secret|credentials?|token|prompt|conversation"
            r"|user'?s?|https?://|e-?mail|rm\s+-rf|positive|review(?:er)?s?|candidate|only)\b"
        ),
    ),
)


def cues(text: str) -> float:
    """The more sorts of cues, the surer."""
    text = text[:LARGEST]
    return min(sum(weight for weight, pattern in CUES if pattern.search(text)), 1.0)
