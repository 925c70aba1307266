"""`[redaction]`: what is masked in all that is written."""

from llmproxy_core.sections.values import Section


class RedactionConfig(Section):
    """`secrets`: they are replaced by marks before anything is written; they pass as they are."""

    secrets: bool = True
