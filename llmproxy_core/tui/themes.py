"""Our colours: one dark and one light theme, both readable in 256 colours."""

from textual.theme import Theme

DARK = Theme(
    name="llmproxy-dark",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#d7af5f",
    success="#87d787",
    warning="#ffaf5f",
    error="#ff6c6b",
    foreground="#d0d0d0",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    dark=True,
    variables={
        "footer-background": "#1c1c1c",
        "footer-key-foreground": "#5fafff",
        "footer-description-foreground": "#8a8a8a",
        "input-selection-background": "#5fafff 35%",
        "border": "#444444",
    },
)

LIGHT = Theme(
    name="llmproxy-light",
    primary="#005faf",
    secondary="#5f5f87",
    accent="#875f00",
    success="#006f00",
    warning="#af5f00",
    error="#c00000",
    foreground="#303030",
    background="#ffffff",
    surface="#f2f2f2",
    panel="#e4e4e4",
    dark=False,
    variables={
        "footer-background": "#f2f2f2",
        "footer-key-foreground": "#005faf",
        "footer-description-foreground": "#606060",
        "input-selection-background": "#005faf 25%",
        "border": "#b2b2b2",
    },
)

THEMES = (DARK, LIGHT)
