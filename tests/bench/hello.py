"""The least a Textual app can be: what the first frame of the wizard is measured against."""

from textual.app import App, ComposeResult
from textual.widgets import Label


class Hello(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        yield Label("Hello, world.")


if __name__ == "__main__":
    Hello().run()
