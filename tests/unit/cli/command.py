"""`llmproxy` as a process of its own, in a home of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ENTRY = [sys.executable, "-m", "llmproxy_core.cli"]


@dataclass
class Command:
    """Call it with arguments; `environment` is set on top of a bare one."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*ENTRY, *arguments],
            env=self.variables | changes,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, *arguments: str, **changes: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*ENTRY, *arguments],
            env=self.variables | changes,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def variables(self) -> dict[str, str]:
        kept = {
            name: os.environ[name]
            for name in ("PATH", "COVERAGE_PROCESS_START", "LANG")
            if name in os.environ
        }
        return kept | {
            "HOME": str(self.home),
            "LLMPROXY_HOME": str(self.home / "data"),
            **self.environment,
        }
