"""The line at the top: which step this is, and who is working where."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

STEPS = ("Choose", "Ask", "Review", "Apply", "Prove")
NAME = "tls-wizard"


class Place(Widget):
    """`tls-wizard      1 Choose [2 Ask] 3 Review  4 Apply  5 Prove      root@signer`."""

    def __init__(self, step: str, who: str) -> None:
        super().__init__()
        self.step = step
        self.who = who

    def render(self) -> Content:
        number = STEPS.index(self.step) + 1 if self.step in STEPS else 0
        if self.size.width < 70:
            where = f"{number} of {len(STEPS)}: {self.step}" if number else self.step
            return self._spread(Content(where), Content(""))
        # The brackets say which one it is where bold cannot be seen.
        steps = [
            Content.styled(f"[{i} {name}]", "$step-style") if name == self.step else Content(f" {i} {name} ")
            for i, name in enumerate(STEPS, 1)
        ]
        return self._spread(Content(" ").join(steps), Content(self.who))

    def _spread(self, middle: Content, right: Content) -> Content:
        """The three parts with the free columns shared between them; the last is cut when it is long."""
        left = Content.styled(NAME, "bold")
        free = self.size.width - len(left) - len(middle) - 2
        right = right if len(right) < free else right[: max(0, free - 2)] + Content("…")
        gap = max(1, (free - len(right)) // 2)
        rest = max(1, free - gap - len(right))
        return Content.assemble(" ", left, " " * gap, middle, " " * rest, right)
