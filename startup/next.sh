#!/bin/sh
# Says what to do while the proxy runs, as commands that work from any folder.
here="$(cd "$(dirname "$0")/.." && pwd)"
case $here in *[!A-Za-z0-9_./-]*) here="'$here'" ;; esac
llmproxy="$here/.venv/bin/llmproxy"
printf '%-27s %s\n' \
    "Next, in other terminals:" "" \
    "  watch the calls" "make -C $here tui" \
    "  run a program" "$llmproxy run -- python agent.py" \
    "  or all from a shell" "eval \"\$($llmproxy env)\"" \
    "  other programs" "$llmproxy cert" \
    "  what works, what does not" "$llmproxy doctor"
