"""The worker: from the spool into the store. One file a stage.

watch -> intake (-> journal -> exchanges -> rows, sessions, seal) -> storage; checkpoint, lock.
"""

from llmproxy_core.worker.main import run

__all__ = ["run"]
