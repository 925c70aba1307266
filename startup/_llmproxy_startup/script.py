"""A folder of addons behind mitmproxy's `-s`, reloaded while it runs.

Differs from mitmproxy's own `Script` for files, on purpose: the first load happens at once, while
options are processed, so that an addon can still choose where to listen, and its `OptionsError`
ends the program with its message; and an edit that fails, at import, in `load` or in `configure`,
leaves the running code in force.

The order of a reload: import, `load` and `configure` of the new addons; then they take over; then
`done` of the old ones (may be async, is awaited), then `running` of the new. So an addon should
take hold of what only one can have (a lock, a child process) in `running` and let go in `done`.
"""

import asyncio
import contextlib
import inspect
import logging
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from mitmproxy import addonmanager, ctx, exceptions, hooks
from mitmproxy.utils import asyncio_utils

from _llmproxy_startup.folder import Folder, Snapshot

logger = logging.getLogger(__name__)

TAUGHT = "_llmproxy_folders"


def teach(module: ModuleType) -> None:
    """Make `mitmproxy.addons.script` build a `FolderScript` where the path is a folder."""
    if getattr(module, TAUGHT, False):
        return
    stock = module.Script

    def script(path: str, reload: bool) -> Any:
        folder = Folder(path)
        if folder.path.is_dir():
            return FolderScript(folder, module.ReloadInterval if reload else None)
        return stock(path, reload)

    module.__dict__["Script"] = script
    setattr(module, TAUGHT, True)


class FolderScript:
    """The addon that stands for one folder; its sub-addon is the folder's package.

    `interval` is in seconds; without one there is no reloading.

    Raises:
        OptionsError: on construction, if the folder has no addons or one of them says so.
    """

    def __init__(self, folder: Folder, interval: float | None = None) -> None:
        self.name = "scriptmanager:" + folder.given
        self.path = folder.given
        self.ns: ModuleType | None = None
        self.is_running = False
        self.reloadtask: asyncio.Task[None] | None = None
        self._folder = folder
        self._adopted = False
        self._seen: Snapshot = {}
        self.loadscript()
        if interval is not None:
            self.reloadtask = asyncio_utils.create_task(
                self._watch(interval), name=f"folder watcher for {self.path}", keep_ref=False
            )

    @property
    def addons(self) -> list[ModuleType]:
        """Empty until mitmproxy has registered this addon: it would `load` the folder's again."""
        return [self.ns] if self.ns and self._adopted else []

    def configure(self, updated: set[str]) -> None:
        self._adopted = self._adopted or self.name in ctx.master.addons.lookup

    def running(self) -> None:
        self.is_running = True
        if self.ns and not self._adopted:  # added to a running mitmproxy, which asks only us
            self._later(_tell(self.ns, hooks.RunningHook()))

    def done(self) -> None:
        if self.reloadtask:
            self.reloadtask.cancel()
        # At the end mitmproxy awaits the folder's `done` itself; on removal it cannot await.
        if self.ns and self.name not in ctx.master.addons.lookup:
            package, self.ns = self.ns, None
            self._later(_tell(package, hooks.DoneHook()))

    def loadscript(self) -> None:
        """The first load. An error other than OptionsError is logged; an edit may mend it."""
        logger.info("Loading folder %s", self.path)
        self._seen = self._folder.snapshot()
        if not self._seen:
            raise exceptions.OptionsError(f"No addons in folder {self._folder.path}: no *.py file")
        try:
            self._load()
        except exceptions.OptionsError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001
            # mitmdump itself ends a start that logs an error; mitmweb's user mends the file.
            self._report(logging.ERROR, "error in folder", error)

    def _load(self) -> ModuleType | None:
        """Put the folder's present code in force, whole or not at all; returns the old code."""
        manager = ctx.master.addons
        with self._folder.imported() as package, _without(manager, self.ns):
            _check_names(package)
            manager.register(package)
            manager.invoke_addon_sync(package, hooks.ConfigureHook(set(ctx.options.keys())))
        old, self.ns = self.ns, package
        return old

    async def _watch(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            now = self._folder.snapshot()
            if now != self._seen:
                self._folder.drop_bytecode(self._seen, now)
                self._seen = now
                await self._reload()

    async def _reload(self) -> None:
        try:
            old = self._load()
        except (Exception, SystemExit) as error:  # noqa: BLE001
            # Whatever is wrong with the new code, the old goes on.
            kept = "the old code stays in force" if self.ns else "nothing is loaded"
            self._report(logging.WARNING, f"cannot reload folder ({kept})", error)
            return
        logger.info("Reloaded folder %s", self.path)
        if old:
            await _tell(old, hooks.DoneHook())
        if self.is_running and self.ns:
            await _tell(self.ns, hooks.RunningHook())

    def _report(self, level: int, what: str, error: BaseException) -> None:
        place = self._folder.place(error)
        text = f"{what} {self.path}: {type(error).__name__} at {place}"
        logger.log(level, text, exc_info=(type(error), error, self._folder.trimmed(error)))

    def _later(self, work: Any) -> None:
        asyncio_utils.create_task(work, name=f"hooks of {self.path}", keep_ref=True)


@contextlib.contextmanager
def _without(manager: addonmanager.AddonManager, package: ModuleType | None) -> Iterator[None]:
    """Free the names of a loaded package; an error in the block takes back all it did."""
    lookup, commands = dict(manager.lookup), dict(ctx.master.commands.commands)
    options = {name: getattr(ctx.options, name) for name in ctx.options.keys()}  # noqa: SIM118
    for addon in addonmanager.traverse([package] if package else []):
        manager.lookup.pop(_name(addon), None)
    try:
        yield
    except BaseException:
        manager.lookup = lookup
        ctx.master.commands.commands = commands
        changed = {name: old for name, old in options.items() if getattr(ctx.options, name) != old}
        if changed:
            ctx.options.update(**changed)
        raise


def _check_names(package: ModuleType) -> None:
    counts = Counter(_name(addon) for addon in addonmanager.traverse([package]))
    if twice := [name for name, count in counts.items() if count > 1]:
        raise exceptions.AddonManagerError(
            f"Two addons are called {twice[0]!r}: rename a class or give one a `name`."
        )


def _name(addon: object) -> str:
    return str(getattr(addon, "name", type(addon).__name__.lower()))


async def _tell(package: ModuleType, hook: hooks.Hook) -> None:
    """Call a lifecycle hook on each addon of a package; one that fails does not stop the rest."""
    for addon in list(addonmanager.traverse([package])):
        call = getattr(addon, hook.name, None)
        if callable(call):
            with addonmanager.safecall():
                result = call(*hook.args())
                if inspect.isawaitable(result):
                    await result
