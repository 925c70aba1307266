"""Who answers where: providers, their hosts, and which path of theirs speaks which wire format.

Data only; `recognise.py` is the engine. A host is `name`, `*.domain`, `name:port`, or has one `*`
within a label (`bedrock-runtime.*.amazonaws.com`). A path is what a request's path must end with
(base URLs differ: `/openai/v1/chat/completions`), from a `/`; one that begins with `:` is a Google
method, the end of the last segment. Only what is listed here is an LLM call: telemetry, model
lists, files and logins on the same hosts are not.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Provider:
    """`paths` come before the ones that all providers share (COMMON)."""

    name: str
    hosts: tuple[str, ...]
    paths: dict[str, str] = field(default_factory=dict)


COMMON: dict[str, str] = {
    "/chat/completions": "openai.chat",
    "/responses": "openai.responses",
    "/responses/compact": "openai.responses.compact",
    "/responses/input_tokens": "openai.responses.input_tokens",
    "/completions": "openai.completions",
    "/embeddings": "openai.embeddings",
    "/moderations": "openai.moderations",
    "/images/generations": "openai.images",
    "/images/edits": "openai.images",
    "/images/variations": "openai.images",
    "/audio/speech": "openai.audio",
    "/audio/transcriptions": "openai.audio",
    "/audio/translations": "openai.audio",
    "/rerank": "rerank",
    "/v1/messages": "anthropic.messages",
    "/v1/messages/count_tokens": "anthropic.count_tokens",
    "/v1/messages/batches": "anthropic.batches",
    "/v1/batches": "openai.batches",
    ":generateContent": "gemini",
    ":streamGenerateContent": "gemini",
    ":countTokens": "gemini.count_tokens",
    ":embedContent": "gemini.embeddings",
    ":batchEmbedContents": "gemini.embeddings",
    ":batchGenerateContent": "gemini.batches",
}

UNBILLED = frozenset(
    {
        "anthropic.count_tokens",
        "bedrock.count_tokens",
        "gemini.count_tokens",
        "openai.moderations",
        "openai.responses.input_tokens",
    }
)
"""Formats whose answers tell tokens that nobody pays for."""

UPGRADES: dict[str, str] = {
    "/v1/responses": "openai.responses.websocket",
    "/codex/responses": "openai.responses.websocket",
    "/realtime": "openai.realtime",
    "GenerativeService.BidiGenerateContent": "gemini.live",
    "LlmBidiService/BidiGenerateContent": "gemini.live",
}
"""GET requests that become WebSockets: `turns.py` cuts them into exchanges."""

READS: dict[str, str] = {
    "/responses/resp_*": "openai.responses",
    "/v1/messages/batches/*/results": "anthropic.batches",
}
"""GET requests that fetch what a model wrote meanwhile: background answers, results of batches.
Each segment of a path's end is a pattern."""

LOCAL: dict[str, str] = {
    path: wire
    for path, wire in COMMON.items()
    if path.startswith(":")
    or path in ("/v1/messages", "/chat/completions", "/v1/messages/count_tokens")
} | {
    "/v1/responses": "openai.responses",
    "/v1/completions": "openai.completions",
    "/v1/embeddings": "openai.embeddings",
}
"""What counts on a loopback port that no provider is known for: words of their own only."""

OPENAI = {
    "/fine_tuning/alpha/graders/run": "openai.graders",
    "/threads/runs": "openai.assistants",
    "/runs": "openai.assistants",
    "/submit_tool_outputs": "openai.assistants",
}
OLLAMA = {
    "/api/chat": "ollama.chat",
    "/api/generate": "ollama.generate",
    "/api/embed": "ollama.embed",
    "/api/embeddings": "ollama.embeddings",
}
VERTEX = {
    ":predict": "vertex.predict",
    "/batchPredictionJobs": "vertex.batches",
    "/count-tokens:rawPredict": "anthropic.count_tokens",
    ":rawPredict": "anthropic.messages",
    ":streamRawPredict": "anthropic.messages",
}
BEDROCK = {
    "/converse": "bedrock.converse",
    "/converse-stream": "bedrock.converse-stream",
    "/invoke": "bedrock.invoke",
    "/invoke-with-response-stream": "bedrock.invoke-with-response-stream",
    "/count-tokens": "bedrock.count_tokens",
}
COHERE = {
    "/v1/chat": "cohere.chat",
    "/v2/chat": "cohere.chat",
    "/v1/generate": "cohere.generate",
    "/v1/embed": "cohere.embed",
    "/v2/embed": "cohere.embed",
    "/v1/rerank": "cohere.rerank",
    "/v2/rerank": "cohere.rerank",
    "/v1/classify": "cohere.classify",
}

PROVIDERS: tuple[Provider, ...] = (
    Provider("openai", ("api.openai.com", "*.api.openai.com", "chatgpt.com"), OPENAI),
    Provider(
        "azure",
        (
            "*.openai.azure.com",
            "*.openai.azure.us",
            "*.services.ai.azure.com",
            "*.cognitiveservices.azure.com",
            "*.inference.ai.azure.com",
            "models.inference.ai.azure.com",
        ),
        OPENAI,
    ),
    Provider("anthropic", ("api.anthropic.com",), {"/v1/complete": "anthropic.complete"}),
    Provider(
        "google",
        ("generativelanguage.googleapis.com", "cloudcode-pa.googleapis.com"),
        {":predict": "vertex.predict"},
    ),
    Provider("vertex", ("aiplatform.googleapis.com", "*-aiplatform.googleapis.com"), VERTEX),
    Provider(
        "bedrock",
        (
            "bedrock-runtime.*.amazonaws.com",
            "bedrock-runtime-fips.*.amazonaws.com",
            "bedrock-runtime.*.amazonaws.com.cn",
            "bedrock-runtime.*.api.aws",
            "bedrock-mantle.*.api.aws",
        ),
        BEDROCK,
    ),
    Provider(
        "mistral",
        ("api.mistral.ai", "codestral.mistral.ai"),
        {
            "/fim/completions": "mistral.fim",
            "/agents/completions": "mistral.agents",
            "/v1/conversations": "mistral.conversations",
            "/v1/ocr": "mistral.ocr",
            "/v1/batch/jobs": "mistral.batches",
        },
    ),
    Provider("cohere", ("api.cohere.com", "api.cohere.ai"), COHERE),
    Provider("groq", ("api.groq.com",)),
    Provider("deepseek", ("api.deepseek.com",)),
    Provider("xai", ("api.x.ai", "*.api.x.ai")),
    Provider("openrouter", ("openrouter.ai", "*.openrouter.ai")),
    Provider("together", ("api.together.xyz", "api.together.ai")),
    Provider("fireworks", ("api.fireworks.ai",)),
    Provider("perplexity", ("api.perplexity.ai",), {"/v1/sonar": "openai.chat"}),
    Provider("cerebras", ("api.cerebras.ai",)),
    Provider("sambanova", ("api.sambanova.ai",)),
    Provider("moonshot", ("api.moonshot.ai", "api.moonshot.cn")),
    Provider("minimax", ("api.minimax.io", "api.minimax.chat", "api.minimaxi.com")),
    Provider("zai", ("api.z.ai", "open.bigmodel.cn")),
    Provider("alibaba", ("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com")),
    Provider("volcengine", ("ark.*.volces.com",)),
    Provider("siliconflow", ("api.siliconflow.cn", "api.siliconflow.com")),
    Provider("stepfun", ("api.stepfun.com",)),
    Provider(
        "huggingface",
        (
            "router.huggingface.co",
            "api-inference.huggingface.co",
            "*.endpoints.huggingface.cloud",
        ),
        {"/generate": "huggingface.tgi", "/generate_stream": "huggingface.tgi"},
    ),
    Provider("nvidia", ("integrate.api.nvidia.com", "ai.api.nvidia.com")),
    Provider("deepinfra", ("api.deepinfra.com",)),
    Provider("github-models", ("models.github.ai",)),
    Provider("github-copilot", ("api.githubcopilot.com", "*.githubcopilot.com")),
    Provider("novita", ("api.novita.ai",)),
    Provider(
        "nebius",
        (
            "api.studio.nebius.com",
            "api.studio.nebius.ai",
            "api.tokenfactory.nebius.com",
            "api.tokenfactory.*.nebius.com",
        ),
    ),
    Provider("hyperbolic", ("api.hyperbolic.xyz",)),
    Provider("baseten", ("inference.baseten.co",)),
    Provider("heroku", ("*.inference.heroku.com",)),
    Provider("crusoe", ("api.inference.crusoecloud.com",)),
    Provider("ovhcloud", ("*.endpoints.kepler.ai.cloud.ovh.net",)),
    Provider("scaleway", ("api.scaleway.ai",)),
    Provider("friendli", ("api.friendli.ai",)),
    Provider("featherless", ("api.featherless.ai",)),
    Provider("inception", ("api.inceptionlabs.ai",)),
    Provider("arcee", ("api.arcee.ai", "conductor.arcee.ai")),
    Provider("avian", ("api.avian.io",)),
    Provider("upstage", ("api.upstage.ai",)),
    Provider("meta", ("api.llama.com",)),
    Provider("poe", ("api.poe.com",)),
    Provider("morph", ("api.morphllm.com",)),
    Provider(
        "ai21", ("api.ai21.com",), {"/complete": "ai21.complete", "/chat/complete": "ai21.chat"}
    ),
    Provider("voyage", ("api.voyageai.com",), {"/multimodalembeddings": "voyage.embeddings"}),
    Provider("writer", ("api.writer.com",), {"/v1/chat": "openai.chat"}),
    Provider(
        "replicate",
        ("api.replicate.com",),
        {"/predictions": "replicate.predictions"},
    ),
    Provider(
        "watsonx",
        ("*.ml.cloud.ibm.com",),
        {
            "/text/chat": "watsonx.chat",
            "/text/chat_stream": "watsonx.chat",
            "/generation/text": "watsonx.generation",
            "/generation/text_stream": "watsonx.generation",
            "/text/generation": "watsonx.generation",
            "/text/generation_stream": "watsonx.generation",
        },
    ),
    Provider("vercel", ("ai-gateway.vercel.sh",)),
    Provider("cloudflare", ("gateway.ai.cloudflare.com",)),
    Provider("requesty", ("router.requesty.ai",)),
    Provider("portkey", ("api.portkey.ai",)),
    Provider("helicone", ("*.helicone.ai",)),
    Provider("pydantic", ("gateway.pydantic.dev", "gateway-*.pydantic.dev")),
    Provider("opencode", ("opencode.ai",)),
    Provider("ollama", ("localhost:11434", "ollama.com", "api.ollama.com"), OLLAMA),
    Provider("lmstudio", ("localhost:1234",), {"/api/v0/chat/completions": "openai.chat"}),
    Provider("vllm", ("localhost:8000",)),
)
