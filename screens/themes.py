"""The three sets of colours: the terminal's own palette, a dark and a light one of ours.

Every colour of ours is one of the 256 that all terminals but the barest have, so that where there are no more
none is rounded. Each text stands out from what is behind it by 4.5 to 1 or more (WCAG 2.1, level AA);
tests/screens/test_colours.py measures that on the screens.
"""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

TERMINAL = "terminal"
MORE_COLOURS = ("256", "truecolor")
"""What Rich calls the terminals that have more than sixteen."""

PLAIN_STYLES = {
    "quiet": "dim",
    "step-style": "bold",
    "key-style": "reverse",
    "chosen-style": "bold",
    "focus-style": "reverse",
    "row-style": "bold reverse",
    "row-background": "transparent",
    "line-color": "ansi_default",
    "dialog-background": "ansi_default",
    "button-focus": "ansi_default",
}
"""What the palette of the terminal has in their places: attributes that need no colour."""
BAREST_STYLES = {**PLAIN_STYLES, "quiet": "not dim"}
"""For a terminal of sixteen colours: Linux's console shows dim as a grey that is hard to read (2.8 to 1)."""


def _ours(
    name: str,
    *,
    background: str,
    foreground: str,
    quiet: str,
    raised: str,
    chosen: str,
    line: str,
    accent: str,
    success: str,
    warning: str,
    error: str,
) -> Theme:
    """A theme of few colours; what Textual would mix of them is named, so that there are no others."""
    return Theme(
        name=name,
        dark=name == "dark",
        primary=accent,
        accent=accent,
        background=background,
        surface=background,
        panel=background,
        foreground=foreground,
        success=success,
        warning=warning,
        error=error,
        variables={
            "text-success": success,
            "text-warning": warning,
            "text-error": error,
            "text-disabled": quiet,
            "border": line,
            "border-blurred": line,
            "block-hover-background": "transparent",
            "button-foreground": foreground,
            "input-cursor-background": foreground,
            "input-cursor-foreground": background,
            "input-selection-background": accent,
            "input-selection-foreground": background,
            "screen-selection-background": accent,
            "screen-selection-foreground": background,
            "scrollbar": line,
            "scrollbar-hover": quiet,
            "scrollbar-active": quiet,
            "scrollbar-background": background,
            "step-style": f"bold {accent}",
            "key-style": f"bold {accent}",
            "chosen-style": f"bold {accent}",
            "focus-style": f"bold {background} on {accent}",
            "row-style": "bold",
            "row-background": chosen,
            "line-color": accent,
            "dialog-background": raised,
            "button-focus": accent,
        },
    )


def _terminals() -> Theme:
    """Textual's theme of the sixteen colours, but no blue, which some show nearly black."""
    theme = BUILTIN_THEMES["ansi-dark"]
    visible = {
        "scrollbar": "ansi_white",
        "scrollbar-hover": "ansi_white",
        "scrollbar-active": "ansi_white",
        "input-selection-background": "ansi_white",
    }
    return replace(theme, name=TERMINAL, variables={**theme.variables, **visible})


THEMES = (
    _terminals(),
    _ours(
        "dark",
        background="#1c1c1c",
        foreground="#e4e4e4",
        quiet="#a8a8a8",
        raised="#303030",
        chosen="#3a3a3a",
        line="#767676",
        accent="#87afd7",
        success="#87d787",
        warning="#d7af5f",
        error="#ff8787",
    ),
    _ours(
        "light",
        background="#f5f5f5",
        foreground="#121212",
        quiet="#585858",
        raised="#ffffff",
        chosen="#d7d7ff",
        line="#767676",
        accent="#005f87",
        success="#005f00",
        warning="#5f5f00",
        error="#af0000",
    ),
)
"""In the order in which a key goes through them."""
