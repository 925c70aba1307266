"""The core of llmproxy: pure Python, never imports mitmproxy."""
