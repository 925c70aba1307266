"""Answers that were paid for, by the hash of their question."""

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Protocol

from llmproxy_core.home import private_folder, write_private

DAY = 86400
MOST = 10_000
"""Answers in the folder."""
LOOKED_AFTER = 500
"""Answers written between two looks at how many there are."""
LONGEST = 2**20


class Answers(Protocol):
    """Keeps answers (JSON text) by key (hexadecimal digits). Raises nothing: what fails is asked
    again."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, answer: str) -> None: ...


class AnswerFiles:
    """Answers as files of the home, for `days`."""

    def __init__(self, folder: Path, days: int) -> None:
        self._folder = folder
        self._days = days
        self._written = 0

    async def get(self, key: str) -> str | None:
        return await asyncio.to_thread(self._read, key)

    async def put(self, key: str, answer: str) -> None:
        if self._days:
            await asyncio.to_thread(self._write, key, answer)

    def _read(self, key: str) -> str | None:
        path = self._path(key)
        try:
            found = path.stat()
            if time.time() - found.st_mtime > self._days * DAY or found.st_size > LONGEST:
                return None
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _write(self, key: str, answer: str) -> None:
        path = self._path(key)
        with contextlib.suppress(OSError):  # a full disk: it is asked again, and paid for
            private_folder(private_folder(self._folder.parent) / self._folder.name)
            private_folder(path.parent)
            write_private(path, answer.encode())
            if self._written % LOOKED_AFTER == 0:
                self._forget()
            self._written += 1

    def _forget(self) -> None:
        """The oldest go where there are too many."""
        files = [entry for entry in self._folder.rglob("*") if entry.is_file()]
        dated = sorted((os.stat(file).st_mtime, file) for file in files)
        old = time.time() - self._days * DAY
        for number, (at, file) in enumerate(dated):
            if at < old or len(dated) - number > MOST:
                file.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]
