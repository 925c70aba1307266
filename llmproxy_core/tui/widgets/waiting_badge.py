"""How many calls wait for a person, in the corner of screens that have no title for them."""

from textual.content import Content
from textual.geometry import Offset
from textual.reactive import reactive
from textual.widgets import Static


class WaitingBadge(Static):
    DEFAULT_CSS = """
    WaitingBadge {
        overlay: screen; width: auto; height: 1; background: $warning; color: $background;
        text-style: bold;
    }
    """
    many: reactive[int] = reactive(0)

    def __init__(self, many: int) -> None:
        super().__init__()
        self.many = many

    def watch_many(self, many: int) -> None:
        self.display = bool(many)
        self.update(Content(self._said))
        self.place()

    @property
    def _said(self) -> str:
        return f" {self.many} call{'s' * (self.many != 1)} wait{'s' * (self.many == 1)} "

    def place(self) -> None:
        """Into the upper right corner."""
        self.absolute_offset = Offset(max(0, self.app.size.width - len(self._said)), 0)
