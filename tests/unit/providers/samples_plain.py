"""Hand-written exchanges that are no chats: completions, vectors, pictures, sounds, batches."""

from typing import Any

from tests.unit.providers.sample import Event, Sample, ndjson


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """multipart/form-data: (name, file name or nothing, content)."""
    body = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"\r\nContent-Type: audio/wav' if filename else ""
        head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + b"--xyz--\r\n"


def _text(text: str, finish: str | None = None, **more: Any) -> Event:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    return {"id": "cmpl-1", "model": "gpt-x", "choices": [choice], **more}


TOKENS = {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10}
COMPLETIONS = Sample(
    wire="openai.completions",
    request={"model": "gpt-x", "stream": True, "prompt": ["Weather in Oslo?", [1, 2, 3]]},
    whole=_text("Rain ü 😀", "stop", usage=TOKENS),
    events=[_text("Rain "), _text("ü 😀"), _text("", "stop", usage=TOKENS)],
    done=True,
    speaks=False,
    last=b'"finish_reason": "',
)
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}
EMBEDDINGS = Sample(
    wire="openai.embeddings",
    request={"model": "gpt-x", "input": "Weather in Oslo?"},
    whole={
        "object": "list",
        "data": [VECTOR, {**VECTOR, "embedding": "R215PJSD"}],
        "model": "gpt-x",
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    },
    events=[],
    speaks=False,
)
IMAGE_USAGE = {"input_tokens": 50, "output_tokens": 272, "total_tokens": 322}
PICTURE = {"b64_json": "R215PJSD", "size": "1024x1024"}
IMAGES = Sample(
    wire="openai.images",
    request={"model": "gpt-x", "stream": True, "prompt": "Weather in Oslo?", "partial_images": 1},
    whole={"created": 1, "data": [PICTURE], "usage": IMAGE_USAGE},
    events=[
        {"type": "image_generation.partial_image", "b64_json": "R215", "partial_image_index": 0},
        {"type": "image_generation.completed", **PICTURE, "usage": IMAGE_USAGE},
    ],
    speaks=False,
    last=b"image_generation.completed",
)
SPOKEN = {"type": "tokens", "input_tokens": 14, "output_tokens": 4, "total_tokens": 18}
AUDIO = Sample(
    wire="openai.audio",
    request=form(
        ("model", "", b"gpt-x"),
        ("stream", "", b"true"),
        ("prompt", "", "Weather in Oslo? ☂".encode()),
        ("file", "a.wav", b"RIFF\r\n--xy\x00\xff" * 50),
    ),
    whole={"text": "Rain ü 😀", "usage": SPOKEN},
    events=[
        {"type": "transcript.text.delta", "delta": "Rain "},
        {"type": "transcript.text.delta", "delta": "ü 😀"},
        {"type": "transcript.text.done", "text": "Rain ü 😀", "usage": SPOKEN},
    ],
    speaks=False,
    last=b"transcript.text.done",
)
MODERATIONS = Sample(
    wire="openai.moderations",
    request={"model": "gpt-x", "input": ["Weather in Oslo?"]},
    whole={
        "id": "modr-1",
        "model": "gpt-x",
        "results": [{"flagged": True, "categories": {"hate": False, "violence": True}}],
    },
    events=[],
    speaks=False,
)
MESSAGES = [{"role": "user", "content": "Weather in Oslo?"}]
COUNT_TOKENS = Sample(
    wire="anthropic.count_tokens",
    request={"model": "gpt-x", "system": "Be brief.", "messages": MESSAGES},
    whole={"input_tokens": 14},
    events=[],
    speaks=False,
)
INPUT_TOKENS = Sample(
    wire="openai.responses.input_tokens",
    request={"model": "gpt-x", "input": "Weather in Oslo?"},
    whole={"object": "response.input_tokens", "input_tokens": 14},
    events=[],
    speaks=False,
)
COMPACT = Sample(
    wire="openai.responses.compact",
    request={"model": "gpt-x", "input": "Weather in Oslo?"},
    whole={
        "id": "resp_1",
        "object": "response.compaction",
        "output": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Weather in Oslo?"}],
            },
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"},
        ],
        "usage": {"input_tokens": 139, "output_tokens": 438, "total_tokens": 577},
    },
    events=[],
    speaks=False,
)


def _result(text: str, id: str) -> Event:
    message = {
        "type": "message",
        "model": "gpt-x",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2},
    }
    return {"custom_id": id, "result": {"type": "succeeded", "message": message}}


BATCH_ERROR = {"type": "error", "error": {"type": "api_error", "message": "no"}}
BATCHES = Sample(
    wire="anthropic.batches",
    request={
        "requests": [
            {"custom_id": "a", "params": {"model": "gpt-x", "messages": MESSAGES}},
            {"custom_id": "b", "params": {"model": "gpt-x", "messages": MESSAGES}},
        ]
    },
    whole={
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": {"processing": 2, "succeeded": 0},
    },
    events=[],
    speaks=False,
)
BATCH_RESULTS = ndjson(
    [
        _result("Rain ü 😀", "a"),
        {"custom_id": "b", "result": {"type": "errored", "error": BATCH_ERROR}},
        _result("Sun", "c"),
    ]
)

SAMPLES = [
    COMPLETIONS,
    EMBEDDINGS,
    IMAGES,
    AUDIO,
    MODERATIONS,
    COUNT_TOKENS,
    INPUT_TOKENS,
    COMPACT,
    BATCHES,
]
