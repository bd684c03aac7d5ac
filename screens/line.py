"""The way out to the terminal, which a dropped line cannot block."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

from screens.thrift import Thrift
from wizard.reach import within

if TYPE_CHECKING:
    from textual.app import App


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
