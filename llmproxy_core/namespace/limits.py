"""How long a tool's name may be, and of which characters, by provider and wire format.

A name that is longer is refused by the provider, with the whole request. Where sources differ or
say nothing, the smaller number counts: a shortened name works everywhere.

- OpenAI, Chat Completions: `[a-zA-Z0-9_-]`, 64 (API reference, `tools[].function.name`; "string too
  long. Expected a string with maximum length 64": home-assistant/core#121325). Responses: 64 in
  2025 (openai/codex#1289), 128 since (openai/codex#46188, on #39594). Others that speak these
  formats say 64: Azure, DeepSeek (mrexodia/ida-pro-mcp#129), Alibaba (QwenLM/Qwen3-VL#2069), Meta
  (can1357/oh-my-pi#9131), Mistral (Kochava-Studios/witsy#164), GitHub Copilot
  (microsoft/vscode#243602).
- Anthropic: `^[a-zA-Z0-9_-]{1,128}$` (anthropics/claude-code#96152, home-assistant/core#147760).
  On Vertex and Bedrock nobody says so: 64, as it was before.
- Gemini: begins with a letter or `_`; letters, digits, `_ . : -`; 64 (`FunctionDeclaration` of
  v1beta; kaitranntt/ccs#25). Vertex says 64 in one edition and 128 in another.
- Bedrock Converse: `[a-zA-Z0-9_-]+`, 64 (API_runtime_ToolSpecification; awslabs/mcp#3181).
- Cohere: letters, digits and `_`, no digit first (`Tool.name` of v1); no length is told.
- Gateways (OpenRouter, Vercel, Cloudflare, LiteLLM ...) hand on to any of these.
"""

import re

SHORT, LONG = 64, 128

RESPONSES = "openai.responses"
USUAL = re.compile(r"[A-Za-z0-9_-]+")
WIDER = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
NARROWER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def longest(provider: str, wire: str) -> int:
    """Characters that the name of a tool may have there."""
    if provider == "anthropic" and wire.startswith("anthropic."):
        return LONG
    if provider == "openai" and wire.startswith(RESPONSES):
        return LONG
    return SHORT


def allowed(provider: str, wire: str) -> re.Pattern[str]:
    """What a name must match as a whole (`fullmatch`); its length is another matter."""
    if wire.startswith("gemini"):
        return WIDER
    if wire.startswith("cohere."):
        return NARROWER
    return USUAL
