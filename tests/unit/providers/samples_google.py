"""Hand-written exchanges of Google's formats beside generateContent, none of which streams."""

from tests.unit.providers.sample import Sample

CONTENT = {"role": "user", "parts": [{"text": "Weather in Oslo? ☂"}]}
TOKENS = {"totalTokens": 5, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}]}
COUNT_TOKENS = Sample(
    wire="gemini.count_tokens",
    path="/v1beta/models/gemini-x:countTokens",
    request={"contents": [CONTENT]},
    whole=TOKENS,
    events=[],
    speaks=False,
)
EMBEDDINGS = Sample(
    wire="gemini.embeddings",
    path="/v1beta/models/gemini-x:batchEmbedContents",
    request={"requests": [{"model": "models/gemini-x", "content": CONTENT}] * 2},
    whole={
        "embeddings": [{"values": [0.1, 0.2]}, {"values": [0.3, 0.4]}],
        "usageMetadata": {"promptTokenCount": 11, "totalTokenCount": 11},
    },
    events=[],
    speaks=False,
)
BATCH = Sample(
    wire="gemini.batches",
    path="/v1beta/models/gemini-x:batchGenerateContent",
    request={
        "batch": {
            "displayName": "two",
            "inputConfig": {
                "requests": {
                    "requests": [
                        {"request": {"contents": [CONTENT]}, "metadata": {"key": "a"}},
                        {"request": {"contents": [CONTENT]}, "metadata": {"key": "b"}},
                    ]
                }
            },
        }
    },
    whole={"name": "batches/1", "metadata": {"state": "BATCH_STATE_PENDING"}},
    events=[],
    speaks=False,
)
PREDICT = Sample(
    wire="vertex.predict",
    path="/v1/projects/p/locations/l/publishers/google/models/gemini-x:predict",
    request={"instances": [{"content": "Weather"}], "parameters": {"outputDimensionality": 2}},
    whole={
        "predictions": [{"embeddings": {"values": [0.1], "statistics": {"token_count": 3}}}],
        "metadata": {"billableCharacterCount": 7},
    },
    events=[],
    speaks=False,
)
BEDROCK_COUNT_TOKENS = Sample(
    wire="bedrock.count_tokens",
    path="/model/claude-x/count-tokens",
    request={
        "input": {"converse": {"messages": [{"role": "user", "content": [{"text": "Weather"}]}]}}
    },
    whole={"inputTokens": 9},
    events=[],
    speaks=False,
)

SAMPLES = [BATCH, COUNT_TOKENS, EMBEDDINGS, PREDICT, BEDROCK_COUNT_TOKENS]
