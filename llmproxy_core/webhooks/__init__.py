"""Telling other programs over HTTP: signed as in Standard Webhooks, or as Slack wants it."""

from llmproxy_core.webhooks.line import Line, Reply
from llmproxy_core.webhooks.notice import Notice, body, wants
from llmproxy_core.webhooks.signature import secret, signed, verify

__all__ = ["Line", "Notice", "Reply", "body", "secret", "signed", "verify", "wants"]
