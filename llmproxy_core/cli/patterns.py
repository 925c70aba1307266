"""`llmproxy patterns`: prompts that are asked again and again."""

import typer

from llmproxy_core.cli import pattern_edits, pattern_file, pattern_list

app = typer.Typer(
    help="Prompts that are asked again and again: list, show, rename, merge, mine.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("list", short_help="Those with most calls, and how they go.")(pattern_list.show_all)
app.command("show", short_help="One, with all that is known of it.")(pattern_list.show)
app.command("rename", short_help="Give one a name that stays.")(pattern_edits.rename)
app.command("merge", short_help="Two are the same.")(pattern_edits.merge)
app.command("mine", short_help="Find the patterns of prompts in a file.")(pattern_file.mine)
