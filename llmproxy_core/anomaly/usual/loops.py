"""An agent that calls the same tool with the same arguments again and again."""

from collections.abc import Iterator

import msgspec

WINDOW = 20
"""Tool calls of a session that are remembered."""
OFTEN = 5
"""So many of them the same are a loop."""


class Loops(msgspec.Struct):
    """`said`: the loops that were told of, while they last."""

    recent: list[tuple[str, int]] = msgspec.field(default_factory=list)
    said: list[tuple[str, int]] = msgspec.field(default_factory=list)

    def seen(self, tool_calls: tuple[tuple[str, int], ...]) -> Iterator[tuple[str, int]]:
        """The tool, and how often, once when a loop begins and at every doubling."""
        for one in tool_calls[:WINDOW]:
            self.recent.append(one)
            del self.recent[:-WINDOW]
            times = self.recent.count(one)
            if times < OFTEN:
                if one in self.said:
                    self.said.remove(one)
            elif one not in self.said or times == 2 * OFTEN:
                if one not in self.said:
                    self.said.append(one)
                yield one[0], times
        self.said = [one for one in self.said if one in self.recent]
