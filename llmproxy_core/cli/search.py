"""`llmproxy search`: the calls in which something was said."""

from typing import Annotated

import typer

from llmproxy_core.cli.surroundings import store


def search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS...", help="All of them; -not these.")
    ],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Find calls by what was said in them: messages, tool arguments and results, answers.

    The newest come last. A text that is sent again with every turn is found where it was new.
    Words in quotes are looked for as they stand; put `--` before words that begin with a `-`.

    \b
    Example:
      llmproxy search timeout retry
      llmproxy search -- '"connection refused"' -localhost
    """
    from llmproxy_core.cli.flows import Output
    from llmproxy_core.store import query, reads

    wanted = query.parse(" ".join(words))
    with store("llmproxy search") as database:
        with database.connect() as connection:
            found = reads.search(connection, wanted, limit=limit)
        output = Output(as_json)
        for flow in reversed(found):
            output.write(flow)
