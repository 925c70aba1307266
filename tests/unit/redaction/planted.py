"""Bodies in which everything that is not the protocol's is a word that nobody else would write."""

import re
from base64 import b64decode
from binascii import Error
from typing import Any

CANARY = "Kanarienvogel"
PROTOCOL = """
    type role object status model modelId modelVersion model_version id call_id tool_call_id
    tool_use_id toolUseId item_id response_id responseId generation_id event_type name
    finish_reason finishReason stop_reason stopReason done_reason completionReason blockReason
    completion_reason native_finish_reason reason code service_tier previous_response_id
    prompt_cache_key session_id user_id conversation tool_choice format mimeType mime_type
    media_type effort verbosity voice encoding_format language modality trafficType
    anthropic_version schemaVersion phase execution server_label taskType input_type
    embedding_types response_format truncation processing_status turnCompleteReason toolType
    size quality background modalities output_modalities responseModalities
    response_modalities reasoning_effort system_fingerprint created_at output_format keep_alive
    performance
"""
"""Keys of words that may be written: those of the protocol, ids, names of tools."""
WORDS = frozenset(PROTOCOL.split())
COUNTERS = frozenset({"usage", "usageMetadata", "meta", "amazon-bedrock-invocationMetrics"})
FREE = frozenset({"arguments", "args", "input_schema", "schema", "json", "properties"})
"""Objects whose keys are anybody's, too."""
LETTERS = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def planted(value: Any, key: str = "", above: str = "") -> Any:
    """The same, with CANARY in place of every text in it."""
    if isinstance(value, dict):
        if key in FREE or (key == "input" and "type" not in value and above):
            return {CANARY: CANARY, "name": CANARY, "type": CANARY, "text": CANARY, "id": CANARY}
        return {inner: planted(one, inner, key or "-") for inner, one in value.items()}
    if isinstance(value, list):
        return [planted(one, f"{key}[]", above) for one in value]
    if (
        isinstance(value, str)
        and value
        and key.removesuffix("[]") not in PROTOCOL
        and above not in COUNTERS
    ):
        return CANARY
    return value


def sings(written: bytes) -> bool:
    """Is a canary in it, also in base64?"""
    if CANARY.encode() in written:
        return True
    return any(CANARY.encode() in _decoded(found) for found in LETTERS.findall(written))


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text + b"=" * (-len(text) % 4))
    except (Error, ValueError):
        return b""
