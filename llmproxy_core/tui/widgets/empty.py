"""What a newcomer sees instead of an empty table: what to do next, as commands."""

from textual.content import Content
from textual.widgets import Static

from llmproxy_core.plural import counted
from llmproxy_core.tui import plain
from llmproxy_core.tui.health import ProxyHealth


def advice(proxy: ProxyHealth | None) -> Content:
    """The next step, for a proxy that is up and one that is not."""
    command = "bold $accent"
    lines: list[Content] = [Content.styled("No calls yet", "bold"), Content("")]
    if proxy is None or not proxy.up:
        lines += [
            Content("Start the proxy:"),
            Content.styled("    llmproxy proxy", command),
            Content(""),
        ]
    else:
        where = plain.line(proxy.address)
        lines += [
            Content.assemble(("● ", "$success"), f"The proxy listens on {where}"),
            Content(""),
        ]
    lines += [
        Content("Run a program through it:"),
        Content.styled("    llmproxy run -- python agent.py", command),
        Content("or all that this shell starts:"),
        Content.styled('    eval "$(llmproxy env)"', command),
        Content(""),
        Content("A program does not trust the CA?"),
        Content.styled("    llmproxy cert", command),
        Content(""),
        Content("Only looking, without a key?"),
        Content.styled("    llmproxy demo", command),
    ]
    return Content("\n").join(lines)


def nothing_found(settled: int) -> Content:
    """For a queue without findings. `settled`: how many there were."""
    if settled:
        return Content.assemble(
            ("Nothing is left to be looked at.", "bold $success"),
            f"\n\n{counted(settled, 'finding is', 'findings are')} settled: / status:all shows them, too.",
        )
    return Content.assemble(
        ("Nothing was found.", "bold"),
        "\n\nEach text of each call is looked at once: secrets, personal data, orders that a page",
        "\nor a file gives to the model, hidden text, data on its way out, dangerous tool calls.",
        "\n\nTry it on a text:\n",
        ("    llmproxy scan -", "bold $accent"),
    )


class EmptyState(Static):
    DEFAULT_CSS = """
    EmptyState {
        width: auto; height: auto; padding: 1 3; border: round $border;
        color: $foreground 85%; background: $surface;
    }
    """
