"""What a person may do with an experiment, wherever it is shown."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from llmproxy_core.store.experiments import StoredExperiment
from llmproxy_core.tui import plain
from llmproxy_core.tui.hub import HubScreen
from llmproxy_core.tui.screens.asking import AskScreen

KEYS: list[BindingType] = [
    Binding("s", "start", "Start"),
    Binding("o", "stop", "Stop"),
    Binding("p", "promote", "Promote"),
    Binding("b", "roll_back", "Roll back"),
]
STOPPED, PROMOTED, ROLLED_BACK = "stopped by hand", "promoted by hand", "rolled back by hand"


class ExperimentSteps(HubScreen):
    """`chosen` and `reload` are the screen's own."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS

    @abstractmethod
    def chosen(self) -> StoredExperiment | None:
        """The one that a key is about."""

    @abstractmethod
    def reload(self) -> None:
        """Read anew."""

    @work(group="steps")
    async def action_start(self) -> None:
        if (line := self.chosen()) is None:
            return
        learning = self.hub.source.learning
        told = "Conversations that begin from now on get an arm; its shares stay as they are."
        question = f"Start {plain.short(line.one.name, 50)}?"
        if await self.app.push_screen_wait(AskScreen(question, told, sure="Enter: start")) is None:
            return
        await self._do("started", line, lambda: learning.start(line.id))

    @work(group="steps")
    async def action_stop(self) -> None:
        line, learning = self.chosen(), self.hub.source.learning
        if line is None:
            return
        told = "Conversations keep their arm until they end; a verdict is not told any more."
        why = await self._why(f"Stop {plain.short(line.one.name, 50)}: why?", told, STOPPED)
        if why is not None:
            await self._do("stopped", line, lambda: learning.stop(line.id, why))

    @work(group="steps")
    async def action_promote(self) -> None:
        line, learning = self.chosen(), self.hub.source.learning
        if line is None:
            return
        told = "All conversations that begin from now on get the winner, but for the holdout."
        why = await self._why(f"Promote {plain.short(line.one.name, 50)}: why?", told, PROMOTED)
        if why is not None:
            await self._do("promoted", line, lambda: learning.promote(line.id, why))

    @work(group="steps")
    async def action_roll_back(self) -> None:
        line, learning = self.chosen(), self.hub.source.learning
        if line is None:
            return
        told = "Nothing is changed from now on, also within conversations."
        why = await self._why(
            f"Roll back {plain.short(line.one.name, 50)}: why?", told, ROLLED_BACK
        )
        if why is not None:
            await self._do("rolled back", line, lambda: learning.roll_back(line.id, why))

    async def _why(self, question: str, told: str, otherwise: str) -> str | None:
        why = await self.app.push_screen_wait(AskScreen(question, told))
        return None if why is None else why or otherwise

    async def _do(self, said: str, line: StoredExperiment, do: Callable[[], bool]) -> None:
        if await self.hub.do(do):
            self.notify(f"{said}: {plain.short(line.one.name, 60)}", markup=False, timeout=3)
        self.reload()
