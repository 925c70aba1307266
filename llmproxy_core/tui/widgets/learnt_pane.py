"""What is learnt of one call: patterns, signals, what rules and experiments changed."""

from typing import cast

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from llmproxy_core.store.call_lessons import CallLessons
from llmproxy_core.tui import guard_words, learnt_words
from llmproxy_core.tui.hub import HubScreen
from llmproxy_core.tui.widgets.words_pane import WordsPane


class LearntPane(WordsPane):
    """`tell` what is known of a call."""

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("Reading …", guard_words.FAINT), markup=False)

    def tell(self, learnt: CallLessons) -> None:
        hub = cast(HubScreen, self.screen).hub
        self.show(learnt_words.report(learnt, hub.now(), hub.zone))
