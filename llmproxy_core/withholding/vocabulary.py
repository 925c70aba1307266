"""Which members of a body tell how a call was made, and not what was said in it.

By their key; what is not listed is not written. All wire formats share the lists: a key that is a
word of the protocol in one of them and somebody's text in another is a text, or is told by what it
stands in (`skeleton.py`).
"""

import re

WORD = re.compile(r"[\w.:/@+=#|,;-]{1,512}", re.ASCII)
"""A word of a protocol, a name, an id: no blanks."""
KEY = re.compile(r"[A-Za-z_][\w.-]{0,47}", re.ASCII)
"""What a number or a counter may be called."""


def keys(text: str) -> frozenset[str]:
    """A list of them, with blanks between."""
    return frozenset(text.split())


ROLES = keys("system developer user assistant model tool function chatbot critic human ipython")

WORDS = keys("""
    model modelId modelVersion model_version modelDisplayName type object status role
    finish_reason finishReason stop_reason stopReason completionReason completion_reason done_reason
    native_finish_reason turnCompleteReason turn_complete_reason blockReason block_reason
    id call_id tool_call_id tool_use_id toolUseId item_id response_id responseId generation_id
    event_type previous_response_id prompt_cache_key safety_identifier user session_id
    conversation conversation_id thread_id chat_id
    service_tier system_fingerprint serviceTier effort verbosity mode truncation truncate
    encoding_format encodingFormat voice format response_format responseMimeType response_mime_type
    quality size background modality modalities responseModalities response_modalities
    output_modalities stream_format input_type inputType taskType task_type embedding_types
    embeddingTypes language phase execution thinkingLevel thinking_level reasoning_effort
    anthropic_version schemaVersion keep_alive tool_choice function_calling_config
    functionCallingConfig toolConfig tool_config processing_status toolType tool_type server_label
    mime_type mimeType media_type output_format input_audio_format output_audio_format performance
    performanceConfig latency stream safety_setting amazon-bedrock-guardrailAction reasoning_format
""")
"""A string that is a word stays."""

NAMED = keys("""
    tools tool functions function custom toolSpec systemTool functionDeclarations
    function_declarations toolUse functionCall function_call functionCalls function_calls
    functionResponse function_response functionResponses function_responses toolCall tool_call
    toolResponse tool_calls tool_call_delta call tool_choice toolChoice
""")
"""In these, `name` is that of a tool."""
CALLED = re.compile(
    r"(?:function|custom|mcp|tool|server|local|computer|namespace|web_search|bash|text_editor|memory"
    r"|code_execution|web_fetch|function_call|custom_tool_call|mcp_call|mcp_approval_request"
    r"|tool_reference|tool_use|server_tool_use|mcp_tool_use)(?:_[\w.]{1,40})?",
    re.ASCII,
)
"""Types of which `name` is that of a tool, too."""

TEXTS = keys("""
    content text thinking reasoning reasoning_content reasoning_details refusal transcript delta
    partial_json input output outputs instructions prompt suffix system preamble message
    messages chat_history query queries documents texts inputs text_prompts inputText outputText
    generation generations completion completions results result predictions response responses
    choices candidates parts contents part item items content_block summary tools functions
    function custom toolSpec systemTool functionDeclarations function_declarations toolUse
    toolResult functionCall function_call functionCalls function_calls functionResponse
    function_response functionResponses function_responses toolCall tool_call toolResponse
    tool_response tool_calls tool_call_delta call tool_results tool_plan toolChoice
    systemInstruction system_instruction request requests params session setup turns
    serverContent server_content clientContent client_content modelTurn model_turn realtimeInput
    realtime_input outputTranscription output_transcription inputTranscription input_transcription
    mediaChunks media_chunks source image document video images stdout stderr logs
    reasoningContent reasoningText guardContent citationsContent messageStart contentBlockStart
    contentBlockDelta contentBlockStop messageStop start incomplete_details status_details
    promptFeedback prompt_feedback x_groq executed_tools executableCode executable_code
    codeExecutionResult code_execution_result inlineData inline_data fileData file_data
    instances code value tool_references stream_options turn_detection thinkingConfig
    thinking_config generationConfig generation_config inferenceConfig textGenerationConfig options
    audio converse file mask image[] batch inputConfig input_config
""")
"""A string becomes blanks; of an object or a list the members are looked at."""

MUTE = keys("instances predictions documents tool_results")
"""In these, keys are the client's own: no word stays."""

CONFIGS = keys("""
    response request session setup params options parameters generationConfig generation_config
    inferenceConfig textGenerationConfig thinkingConfig thinking_config reasoning thinking
    stream_options turn_detection text
""")
"""Whose numbers stay whatever they are called, as those at the top do."""

BLOBS = keys("data b64_json image_url input_audio url uri encrypted_content")
"""Pictures, sound and addresses: a string becomes a blank."""

BARE = keys("""
    args input_schema inputSchema values cachePoint cache_control amazon-bedrock-trace
    googleSearch google_search googleSearchRetrieval google_search_retrieval codeExecution
    code_execution urlContext url_context fileSearch file_search googleMaps google_maps computerUse
    computer_use retrieval enterpriseWebSearch setupComplete setup_complete sessionResumptionUpdate
    session_resumption_update goAway go_away toolCallCancellation tool_call_cancellation
    voiceActivity voiceActivityDetectionSignal redactedContent tokens toolResponse json
""")
"""That it is there is told, and nothing of what is in it."""

NUMBERS = keys("""
    index output_index content_index summary_index contentBlockIndex sequence_number created
    created_at size thought stream generate done flagged relevance_score filtered blocked
    token_count tokenCount carried turnComplete turn_complete interrupted generationComplete
    is_finished strict exit_code return_code is_error generation_token_count prompt_token_count
    inputTextTokenCount totalOutputTextTokenCount inputTextTokenCount total_tokens prompt_tokens
    completion_tokens input_tokens output_tokens billableCharacterCount code
""")
"""Numbers, and yes or no, wherever they stand."""

COUNTS = keys("""
    usage usageMetadata usage_metadata meta metrics statistics request_counts
    amazon-bedrock-invocationMetrics categories category_scores promptTokensDetails
    prompt_tokens_details cacheTokensDetails
""")
"""Whose members stay, as long as they are numbers and words."""

COUNTED = keys(
    "trafficType traffic_type version inference_geo currency unit ttl search_context_size"
)
"""Of them, words."""

HINTS = keys("session_id conversation_id thread_id chat_id user_id session-id thread-id")
"""Of a call's metadata: by what clients tell sessions apart."""

BATCH = re.compile(r"batches/[\w-]{1,128}", re.ASCII)
"""Gemini's id of a batch, its `name`."""
STATE = re.compile(r"(?:BATCH|JOB)_STATE_[A-Z]{1,40}", re.ASCII)
"""How far it is, in its `metadata`."""

ERRORS = keys("error errors")
SAID_IN_ERRORS = ("message", "Message", "detail", "details", "msg", "error")
REASONS = keys("incomplete_details status_details finishReason finish_reason")
"""In these, `reason` is a word of the protocol."""
