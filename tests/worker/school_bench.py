"""A worker without its process, that learns; and traffic for it."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from llmproxy_core.config import Config
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.learning import Learning
from tests.worker.traffic import NOON, SECOND, Call, append, chat

CITIES = ["Lisbon", "Oslo", "Quito", "Hanoi", "Accra", "Turin", "Kyoto", "Perth", "Lima", "Bern"]


def asking(number: int, prompt: str, *before: tuple[str, str], **more: Any) -> Call:
    """One a minute."""
    messages = [{"role": role, "content": said} for role, said in (*before, ("user", prompt))]
    hints = {"messages": messages, **more.pop("hints", {})}
    return Call(number, NOON + number * 60 * SECOND, hints=hints, **more)


def weather(number: int, **more: Any) -> Call:
    """Of one pattern, and no prompt twice."""
    city, other = CITIES[number % 10], CITIES[(3 * number + number // 10 + 1) % 10]
    prompt = (
        f"You get a report of the weather in {city} and one of {other}.\n"
        "Which of both towns had more rain last week? Answer with its name alone."
    )
    return asking(number, prompt, **more)


def prompt_of(call: Call) -> str:
    return str(json.loads(call.opened()[1])["messages"][0]["content"])


def cut(said: str, tokens: int = 16) -> bytes:
    """An answer that ends at its limit of tokens."""
    message = {"role": "assistant", "content": said}
    usage = {"prompt_tokens": 40, "completion_tokens": tokens, "total_tokens": 40 + tokens}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    return chat("", choices=[choice], usage=usage)


def id_of(call: Call) -> UUID:
    return UUID(bytes=call.id)


@dataclass
class Bench:
    """`run` stores and learns from all that is in the journal."""

    config: Config
    home: Any
    storage: Any
    journal: Any
    learning: Learning
    intake: Intake

    def start_again(self) -> None:
        self.learning = Learning(self.config, self.home)
        self.intake = Intake(self.home.spool, self.storage, learning=self.learning)

    def append(self, *records: Any) -> None:
        append(self.journal, records)

    def store(self, *calls: Call) -> None:
        for call in calls:
            append(self.journal, call.records())
        while self.intake.collect() or self.intake.waiting or self.intake.due:
            self.intake.commit()

    def learn(self) -> None:
        while True:
            self.learning.work(5.0, self.storage.school)
            self.store()
            if self.learning.idle and not self.learning.finish():
                self.learning.close(self.storage.write)
                return

    def run(self, *calls: Call) -> None:
        self.store(*calls)
        self.learn()

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.storage.database().connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def signals(self) -> list[Any]:
        return self.rows(
            "SELECT request_id, name, verdict FROM signals WHERE name <> 'answered' ORDER BY at"
        )

    def sums(self) -> list[Any]:
        return self.rows(
            "SELECT p.kind, sum(d.calls)::int, sum(d.judged)::int, sum(d.good)::int "
            "FROM pattern_days d JOIN prompt_patterns p ON p.id = d.pattern_id "
            "GROUP BY p.kind, p.id ORDER BY 1, 2"
        )

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])
