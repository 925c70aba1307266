r"""What headers, requests, streams and tool results have in common, for packing short texts.

Written by hand from the public formats; never changed, since stored data needs it (see `packing`).
What is likeliest comes last.
"""

HEADERS = """\
accept-encodinggzip, deflate, br, zstdaccept*/*application/jsonconnectionkeep-alivehost\
api.openai.comgenerativelanguage.googleapis.comopenrouter.aiapi.anthropic.comtransfer-encoding\
chunkeddateMon, Tue, Wed, Thu, Fri, Sat, Sun, 01 Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec \
2025 2026 00:00:00 GMTservercloudflarevia1.1 googlecf-cache-statusDYNAMICcf-rayx-robots-tagnone\
strict-transport-securitymax-age=31536000; includeSubDomains; preloadset-cookiealt-svc\
h3=":443"; ma=86400x-content-type-optionsnosniffcache-controlno-cacheaccess-control-expose-headers\
openai-organizationopenai-processing-msopenai-version2020-10-01x-request-idreq_\
x-ratelimit-limit-requestsx-ratelimit-limit-tokensx-ratelimit-remaining-requests\
x-ratelimit-remaining-tokensx-ratelimit-reset-requestsx-ratelimit-reset-tokens\
anthropic-ratelimit-input-tokens-limitanthropic-ratelimit-input-tokens-remaining\
anthropic-ratelimit-input-tokens-resetanthropic-ratelimit-output-tokens-limit\
anthropic-ratelimit-output-tokens-remaininganthropic-ratelimit-output-tokens-reset\
anthropic-ratelimit-requests-limitanthropic-ratelimit-requests-remaining\
anthropic-ratelimit-requests-resetanthropic-ratelimit-tokens-limitanthropic-organization-id\
anthropic-ratelimit-unified-statusallowedanthropic-ratelimit-unified-5h-resetrequest-idreq_011C\
x-envoy-upstream-service-timecontent-encodinggzipcontent-typetext/event-stream; charset=utf-8\
application/jsoncontent-lengthuser-agentclaude-cli/2.0.0 (external, cli)python-requests/\
OpenAI/Python AsyncOpenAI/JS Anthropic/Pythonx-appclix-stainless-langpythonjs\
x-stainless-package-versionx-stainless-osLinuxMacOSx-stainless-archarm64x64x-stainless-runtime\
CPythonnodex-stainless-runtime-version3.12v22.x-stainless-asyncfalsex-stainless-retry-count0\
x-stainless-timeout600x-stainless-helper-methodstreamanthropic-dangerous-direct-browser-access\
trueanthropic-version2023-06-01anthropic-betaclaude-code-20250219,interleaved-thinking-2025-05-14,\
fine-grained-tool-streaming-2025-05-14x-claude-code-session-idauthorizationBearer x-api-keyfp_\
traceparent00--01"""

WORDS = """\
The file has been updated successfully. Here's the result of running `cat -n` on a snippet \
def __init__(self, name: str, value: int) -> None:\\n        self.\\n    return \
None\\n\\n    def test_(self):\\n        assert == \\n    if not isinstance(, str):\\n        raise \
ValueError(f\\"import os\\nimport re\\nimport sys\\nfrom typing import Any, Optional\\nfrom pathlib \
import Path\\nclass (BaseModel):\\n    \\"\\"\\"for in range(len(while True:\\n    try:\\n    except \
Exception as exc:\\n        print(with open( as file:\\n    async def await \\nexport const = (): => \
{\\n  return function() {\\n  const let var import { } from '';\\n<div className=\\"</div>\\n\
Traceback (most recent call last):\\n  File \\"/usr/lib/python3.12/site-packages/, line 1, in \
<module>\\nFAILED tests/test_.py:: - AssertionError\\n=== 1 passed, 0 failed, in 0.00s ===\\n\
total drwxr-xr-x -rw-r--r-- 1 root root 4096 src/main.py README.md package.json \
I'll help you with that. Let me look at the file first. Now let me check the tests. I need to \
understand how this works and then make the change. Let's run the tests to see whether there is \
anything that would have been the problem. You are an assistant. You should not use this tool \
when the user asks for which you can. The following is a list of the available options: \
that it has to be with from this will not have which their about there would been more when \
first because these other could than then some only into over also after should where through \
what between each such most even before those while being under made both does during without \
the of and to in is for on that with as by it this are be at from or an was which \\u00e9\\u2014\
\\u2019s\\u2026"""

BODIES = """\
{"type":"object","properties":{"":{"type":"string","description":"The "},"required":["\
"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}\
{"type":"function","function":{"name":"","description":"","parameters":{"type":"integer","array",\
"items":{"type":"number","boolean","enum":["default":"input_schema":{"type":"object","properties":{\
{"model":"claude-sonnet-4-20250514","max_tokens":32000,"temperature":1,"stream":true,"system":[\
{"model": "gpt-4o", "messages": [{"role": "system", "content": "You are "}, {"role": "user", \
"content": ""}], "stream": false, "temperature": 0.7, "tool_choice": "auto", "max_tokens": 4096}\
{"contents":[{"parts":[{"text":""}],"role":"model"}],"generationConfig":{"candidates":[{\
"content":{"parts":[{"functionCall":{"name":"","args":{"finishReason":"STOP","usageMetadata":{\
"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0,"promptTokensDetails":[{\
"modality":"TEXT","tokenCount":"modelVersion":"gemini-2.5-flash","responseId":"\
{"id":"chatcmpl-","object":"chat.completion","created":17,"model":"gpt-4o-2024-08-06",\
"choices":[{"index":0,"message":{"role":"assistant","content":"","refusal":null,"annotations":[],\
"tool_calls":[{"id":"call_","type":"function","function":{"name":"","arguments":"{\\"}}]},\
"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0,\
"total_tokens":0,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},\
"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,\
"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_"}
data: {"id":"","object":"chat.completion.chunk","created":,"model":"","choices":[{"index":0,\
"delta":{"content":""},"logprobs":null,"finish_reason":null}],"obfuscation":""}

data: [DONE]

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":,"item_id":"msg_","output_index":0,\
"content_index":0,"delta":"","logprobs":[]}

event: response.completed
data: {"type":"response.completed","response":{"id":"resp_","object":"response","created_at":,\
"status":"completed","output":[{"type":"message","id":"msg_","content":[{"type":"output_text",\
"annotations":[],"text":""}],"role":"assistant"}],"usage":{"input_tokens":0,"output_tokens":0

event: message_start
data: {"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant",\
"model":"","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":,\
"cache_creation_input_tokens":,"cache_read_input_tokens":,"cache_creation":{\
"ephemeral_5m_input_tokens":,"ephemeral_1h_input_tokens":},"output_tokens":,\
"service_tier":"standard"}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_01",\
"name":"","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta",\
"partial_json":""}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},\
"usage":{"output_tokens":}}

event: message_stop
data: {"type":"message_stop"}

{"id":"msg_01","type":"message","role":"assistant","model":"","content":[{"type":"thinking",\
"thinking":"","signature":""},{"type":"text","text":""}],"stop_reason":"end_turn","usage":{\
{"role":"user","content":[{"tool_use_id":"toolu_01","type":"tool_result","content":""}]},\
"is_error":false,"cache_control":{"type":"ephemeral"}}]}{"role":"assistant","content":[{\
"type":"text","text":""},{"type":"tool_use","id":"toolu_01","name":"Read","input":{"file_path":"\
"name":"Bash","input":{"command":"","description":""}}]},{"role":"user","content":[{\
"type":"tool_result","tool_use_id":"toolu_01","content":[{"type":"text","text":\""""

DICTIONARY = (WORDS + HEADERS + BODIES).encode()
