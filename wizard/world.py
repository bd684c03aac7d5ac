"""What both doors, the screens and the plain prompts, need from outside: this host, or the sandbox."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wizard import answers, host
from wizard.state import State
from wizard.targets import catalogue

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.kinds import Raw
    from wizard.targets import Target
    from wizard.targets.catalogue import Offered


@dataclass(frozen=True)
class World:
    """The demo and the tests give their own."""

    look: Callable[[], Host]
    state: State
    targets: tuple[Offered, ...]
    who: str
    """`user@host`, for the line at the top."""
    keep: Callable[[type[Target], Mapping[str, Raw]], None]
    """Keeps the answers to one target for the next start."""


def opened(*, demo: bool) -> AbstractContextManager[World]:
    """This host, or a sandbox that ends with the block."""
    return _demo() if demo else _here()


@contextmanager
def _here() -> Iterator[World]:
    state = State.default()
    who = f"{getpass.getuser()}@{socket.gethostname().split('.')[0]}"
    yield World(host.look, state, catalogue.EVERY, who, partial(answers.keep, state))


@contextmanager
def _demo() -> Iterator[World]:
    from wizard.demo.sandbox import sandbox

    with sandbox() as box:
        yield World(box.look, box.state, catalogue.EVERY, "demo", partial(answers.keep, box.state))


def given(answers_file: Path | None) -> tuple[dict[str, dict[str, Raw]], type[Target] | None]:
    """The answers of a file, by target, and the target; none where there is no file.

    Raises BadAnswers or OSError where the file cannot be used.
    """
    if answers_file is None:
        return {}, None
    target, chosen = answers.read(answers_file)
    return {target.key: chosen}, target
