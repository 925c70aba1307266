"""`add_messages`: examples, as turns before the conversation."""

from llmproxy_core.sections.operations import AddMessages
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.draft import Draft


def hindrance(operation: AddMessages, dialect: Dialect) -> str:
    return "" if dialect.add_messages is not None else f"{dialect.name} has no list of messages"


def adding(operation: AddMessages) -> Action:
    def do(draft: Draft) -> None:
        for holder in draft.holders():
            add = draft.dialect.add_messages
            if add is None:
                draft.lacks("list of messages")
                return
            add(holder, operation.messages)

    return do
