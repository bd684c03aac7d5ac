"""The way out to the terminal, which a dropped line cannot block, and the way in, which no byte ends."""

from __future__ import annotations

import os
import signal
import sys
from codecs import IncrementalDecoder, getincrementaldecoder
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from screens.thrift import Thrift
from wizard.reach import within

if TYPE_CHECKING:
    from textual.app import App


def _lenient(encoding: str) -> partial[IncrementalDecoder]:
    """A terminal that is not set to UTF-8 sends other bytes: each stands as �, and the keys behind count."""
    return partial(getincrementaldecoder(encoding), "replace")


# Textual's own is strict, and is made in the middle of a method that is better not copied.
linux_driver.getincrementaldecoder = _lenient  # type: ignore[attr-defined, assignment]  # not exported, and overloaded


class Line:
    """The terminal's output, in characters that it has; what is written after a drop goes nowhere."""

    def write(self, text: str) -> None:
        assert sys.__stderr__ is not None
        with suppress(OSError):
            sys.__stderr__.write(within(text))

    def flush(self) -> None:
        assert sys.__stderr__ is not None
        with suppress(OSError):
            sys.__stderr__.flush()


class SteadyDriver(LinuxDriver):
    """Textual writes from a thread, which would end on the error of a dropped line; the app would then wait
    for it for ever as soon as its queue is full (textual/drivers/_writer_thread.py).
    """

    def __init__(self, app: App[Any], **options: Any) -> None:  # noqa: ANN401 -- handed on as they are
        super().__init__(app, **options)
        self._file = Line()  # type: ignore[assignment]  # Textual uses no more of it
        self.thrift = Thrift()

    def write(self, data: str) -> None:
        super().write(self.thrift.frame(data))

    def run_input_thread(self) -> None:
        """Go on behind a sequence that Textual cannot read, such as a key with the number 1,200,000."""
        while not self.exit_event.is_set():
            with suppress(ValueError, OverflowError):
                super().run_input_thread()

    def _run_input_thread(self) -> None:
        """A mistake here ends the app as any other does: Textual would show a traceback, and exit with 0."""
        try:
            self.run_input_thread()
        except Exception as error:
            self._app.call_later(self._app._handle_exception, error)

    def _sigtstp_application(self, *_: object) -> None:
        """Leave the terminal whole, then stop with the whole job: sudo or make must not go on waiting."""
        self.suspend_application_mode()
        self._must_signal_resume = True
        os.killpg(0, signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal again; also after a stop that could not be prepared for."""
        if not self._must_signal_resume:
            self.suspend_application_mode()
            self._must_signal_resume = True
        self.resume_application_mode()

    def start_application_mode(self) -> None:
        self.thrift.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual has no types there
