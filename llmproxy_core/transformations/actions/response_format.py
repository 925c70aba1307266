"""`response_format`: the answer is JSON, of any shape or of a schema."""

from llmproxy_core.sections.operations import ResponseFormat
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.dialects.dialect import Dialect
from llmproxy_core.transformations.draft import Draft


def hindrance(operation: ResponseFormat, dialect: Dialect) -> str:
    if dialect.respond is None:
        return f"{dialect.name} has no response format"
    if dialect.schemas_only and operation.shape is None:
        return f'{dialect.name} takes a schema only: type = "json_schema"'
    return ""


def forcing(operation: ResponseFormat) -> Action:
    def do(draft: Draft) -> None:
        for holder in draft.holders():
            respond = draft.dialect.respond
            if respond is None or hindrance(operation, draft.dialect):
                draft.lacks("such response format")
                return
            if not draft.dialect.counts:
                respond(holder, operation)

    return do
