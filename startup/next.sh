#!/bin/sh
# Says what to do while the proxy runs, as commands that work from any folder.
here="$(cd "$(dirname "$0")/.." && pwd)"
case $here in *[!A-Za-z0-9_./-]*) here="'$here'" ;; esac
cat <<LINES
Next, in other terminals:
  make -C $here tui                        # watch the calls
  $here/.venv/bin/llmproxy run -- python agent.py   # a program through the proxy
  eval "\$($here/.venv/bin/llmproxy env)"   # or all that this shell starts
  $here/.venv/bin/llmproxy cert                     # how other programs trust the CA
  $here/.venv/bin/llmproxy doctor                   # what works and what does not
LINES
