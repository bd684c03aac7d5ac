"""Asks a program about itself, such as its version, with no more rights than those of whose program it is."""

from __future__ import annotations

import pwd
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile

from wizard.small_files import version

SECONDS = 5
"""How long an answer may take."""


def asked(program: Path, *arguments: str, user: str = "") -> str | None:
    """What the program says when it is started so, again only when it has changed; None: nothing in time.

    It runs as `user`, else as the running user. Raises OSError, KeyError for an account that there is not.
    """
    return _asked(program, version(program), arguments, user)


@lru_cache(maxsize=8)
def _asked(
    program: Path, _version: tuple[int, int, int], arguments: tuple[str, ...], user: str
) -> str | None:
    account = pwd.getpwnam(user) if user else None
    with TemporaryFile() as said:
        try:
            subprocess.run(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/"},
                start_new_session=True,
                timeout=SECONDS,
                check=False,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        except subprocess.TimeoutExpired:
            return None
        said.seek(0)
        return said.read(10_000).decode("utf-8", "replace")
