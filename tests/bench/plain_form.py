"""The wizard's first steps as Textual's documentation teaches to write them: the measure for its bytes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Header, Input, Label, OptionList

TARGETS = (
    "IOTA Hub, REST  runs here: pid 4612, REST without TLS on 127.0.0.1:50051",
    "IOTA Hub, gRPC  runs here: pid 4617, gRPC without TLS on 127.0.0.1:50061",
    "Nano node RPC   runs here: pid 4628, V25.1 on [::1]:7076, plain HTTP",
    "SanteDB REST    not found here",
    "nginx           runs here: 1.31.3, 1 server, 0 with TLS",
    "API connector   for an API anywhere",
)
PAGES = (
    (
        ("Start script", "/tmp/tls-wizard-demo/hub/start.sh", "The script that starts Hub."),
        ("Folder for files", "/tmp/tls-wizard-demo/hub", "Certificates and keys are written here."),
        ("Hub runs as", "root", "The account that owns the files and so can read the key."),
        ("Address to test", "127.0.0.1:50051", "Where Hub answers; the proof connects to it."),
    ),
    (
        ("Source", "self-signed", "Who signs it: its own key, a CA made here, one elsewhere."),
        ("Common Name", "signer", "The name that people see in the certificate."),
        ("Alternative names", "signer, localhost", "Every name and address clients connect to."),
        ("Valid for (days)", "397", "Up to 825 days are accepted by every client."),
        ("Key", "ECDSA P-256", "ECDSA P-256 is fast; take RSA only for very old clients."),
    ),
)
HELP = (
    "Choose what to secure. Nothing has been changed, and nothing is changed before you have said yes. " * 2
)


class Help(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "Close")]
    CSS = "Help { align: center middle; } Help Vertical { width: 64; height: auto; border: solid $accent; }"

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(HELP)
            yield Label("Esc closes.")


class Page(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "app.pop_screen", "Back"), ("f1", "app.help", "Help")]
    CSS = "Input { height: 3; }"

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def compose(self) -> ComposeResult:
        yield Header()
        with VerticalScroll():
            yield Label(f"IOTA Hub, REST: page {self.number} of {len(PAGES)}")
            for label, value, about in PAGES[self.number - 1]:
                yield Label(label)
                yield Input(value, placeholder=about)
        yield Footer()

    def on_input_submitted(self) -> None:
        if self.number < len(PAGES):
            self.app.push_screen(Page(self.number + 1))


class Form(App[None]):
    TITLE = "tls-wizard"
    BINDINGS: ClassVar[list[BindingType]] = [("f1", "help", "Help")]

    def compose(self) -> ComposeResult:
        yield Header()
        yield Label("What shall be secured?")
        yield OptionList(*TARGETS)
        yield Footer()

    def on_option_list_option_selected(self) -> None:
        self.push_screen(Page(1))

    def action_help(self) -> None:
        self.push_screen(Help())


if __name__ == "__main__":
    Form().run()
