#!/bin/sh
# After a new installation: makes the CA and the database, so that the first calls show at once.
# Never fails: the proxy works without a database, and its worker tries again.
cd "$(dirname "$0")/.." || exit 0
.venv/bin/llmproxy cert --path >/dev/null
.venv/bin/llmproxy db upgrade || echo "llmproxy: no database yet; going on without" >&2
exit 0
