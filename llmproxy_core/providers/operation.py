"""What a call is for, in the words of OpenTelemetry (`gen_ai.operation.name`)."""


def operation(wire: str) -> str:
    if "embed" in wire:
        return "embeddings"
    if wire.startswith("gemini"):
        return "generate_content"
    return "text_completion" if wire.endswith(("completions", ".generate", ".complete")) else "chat"
