"""The marks before names and sentences.

They alone are coloured, not the words: of a terminal's sixteen colours each is hard to read on some terminal
(yellow on white, red on black). Bold makes those brighter that need it.
"""

from __future__ import annotations

from textual.content import Content

from wizard.inert import inert_lines

GOOD, CAUTION, WRONG = "bold $text-success", "bold $text-warning", "bold $text-error"
STYLES = {"✓": GOOD, "+": GOOD, "!": CAUTION, "~": CAUTION, "…": CAUTION, "✗": WRONG, "-": WRONG}


def mark(sign: str) -> Content:
    """A mark, and the gap behind it."""
    return Content.styled(f"{sign} ", STYLES[sign])


def marked(sentence: str) -> Content:
    """A sentence of the engine with a mark before it."""
    sign, _, words = sentence.partition(" ")
    return Content.assemble(mark(sign), inert_lines(words))
