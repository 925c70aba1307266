"""Imports a folder of addons as a Python package: all of it, or, when any part fails, none.

The folder keeps its own name, so that `from addons import bridge` inside it means this folder
even where another package `addons` is installed. It gets a private name (then only relative
imports work) if its own is no identifier, or belongs to the standard library or to a package
that is in use.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, TracebackType

MARK = "__mitmproxy_folder__"

Snapshot = dict[str, tuple[int, int]]


class Folder:
    """A folder of addons on disk and, once imported, in `sys.modules`.

    `path` is absolute. `given` is what the user wrote, for messages.
    """

    def __init__(self, given: str) -> None:
        self.given = given
        self.path = Path(os.path.abspath(os.path.expanduser(given.strip("'\" "))))

    def snapshot(self) -> Snapshot:
        """Modification time (ns) and size (bytes) of each Python file, at any depth."""
        found: Snapshot = {}
        for root, folders, files in os.walk(self.path):
            folders[:] = [name for name in folders if name != "__pycache__" and name[0] != "."]
            for name in files:
                if name.endswith(".py"):
                    with contextlib.suppress(OSError):  # gone meanwhile: as if never seen
                        status = os.stat(os.path.join(root, name))
                        found[os.path.join(root, name)] = (status.st_mtime_ns, status.st_size)
        return found

    def files(self) -> list[Path]:
        """The addon files in alphabetical order; `_name.py` and `.name.py` are not addons."""
        return sorted(path for path in self.path.glob("*.py") if path.name[0] not in "_.")

    def name(self) -> str:
        """The name to import the folder under."""
        own = self.path.name
        if own.isidentifier() and own not in sys.stdlib_module_names and not self._taken(own):
            return own
        digest = hashlib.blake2b(os.fsencode(self.path), digest_size=4).hexdigest()
        return f"_mitmproxy_folder_{digest}"

    def _taken(self, name: str) -> bool:
        """Another installed folder of addons may be replaced; anything else is in use."""
        module = sys.modules.get(name)
        if module is None:
            return False
        if owner := getattr(module, MARK, None):
            return bool(owner != str(self.path))
        return not isinstance(getattr(module, "addons", None), list)

    @contextlib.contextmanager
    def imported(self) -> Iterator[ModuleType]:
        """The freshly imported package; an error in the block brings the old modules back.

        Raises:
            Exception: whatever the code of the folder raises.
        """
        name = self.name()
        old = _forget(name)
        try:
            yield self._package(name)
        except BaseException:
            _forget(name)
            sys.modules.update(old)
            raise

    def _package(self, name: str) -> ModuleType:
        importlib.invalidate_caches()
        before = sys.path[:]
        sys.path.insert(0, str(self.path.parent))
        try:
            package = self._run_init(name)
            if not hasattr(package, "addons"):
                package.__dict__["addons"] = [
                    _named(importlib.import_module(f"{name}.{path.stem}"), str(path))
                    for path in self.files()
                ]
        except ModuleNotFoundError as error:
            if name != self.path.name and error.name == self.path.name:
                error.add_note(f"The folder was imported as {name!r}: use relative imports in it.")
            raise
        finally:
            sys.path[:] = before
        return _named(package, str(self.path))

    def _run_init(self, name: str) -> ModuleType:
        init = self.path / "__init__.py"
        spec: ModuleSpec | None
        if init.is_file():
            places = [str(self.path)]
            spec = importlib.util.spec_from_file_location(
                name, init, submodule_search_locations=places
            )
        else:
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(self.path)]
        if spec is None:
            raise ImportError(f"no Python package at {self.path}")
        package = importlib.util.module_from_spec(spec)
        setattr(package, MARK, str(self.path))
        sys.modules[name] = package
        if spec.loader is not None:
            spec.loader.exec_module(package)
        return package

    def drop_bytecode(self, before: Snapshot, now: Snapshot) -> None:
        """Forget compiled code of edited files: Python's own check overlooks an edit that
        keeps the size within the same second."""
        for path in now.keys() & before.keys():
            if before[path] != now[path]:
                with contextlib.suppress(OSError):  # a read-only cache: Python's check must do
                    os.unlink(importlib.util.cache_from_source(path))

    def place(self, error: BaseException) -> str:
        """`file:line` of the folder's own code where the error arose."""
        if isinstance(error, SyntaxError) and error.filename:
            return f"{error.filename}:{error.lineno}"
        frames = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in frames if frame.filename.startswith(f"{self.path}{os.sep}")]
        return f"{inside[-1].filename}:{inside[-1].lineno}" if inside else str(self.path)

    def trimmed(self, error: BaseException) -> TracebackType | None:
        """The error's traceback from the folder's own code on, without the import machinery."""
        step = error.__traceback__
        while step and not step.tb_frame.f_code.co_filename.startswith(f"{self.path}{os.sep}"):
            step = step.tb_next
        return step


def _forget(name: str) -> dict[str, ModuleType]:
    """Take a package and its modules out of `sys.modules`."""
    names = [key for key in sys.modules if key == name or key.startswith(f"{name}.")]
    return {key: sys.modules.pop(key) for key in names}


def _named(module: ModuleType, name: str) -> ModuleType:
    """mitmproxy wants a name on each addon, and a module is one."""
    if not getattr(module, "name", None):
        module.__dict__["name"] = name
    return module
