"""`python -m llmproxy_core.cli` is `llmproxy`."""

from llmproxy_core.cli import main

main()
