"""What a program says of its version."""

from __future__ import annotations

import pwd
from functools import lru_cache
from pathlib import Path

_SECONDS = 5
"""What it may take to tell."""


@lru_cache(maxsize=4)
def asked(program: Path, _version: tuple[int, int, int], user: str) -> str | None:
    """What the program says of its version, asked once with the rights of `user`, whose program it may be.

    None: nothing in time. Raises OSError, KeyError for an account that there is not.
    """
    import subprocess
    from tempfile import TemporaryFile

    account = pwd.getpwnam(user) if user else None
    with TemporaryFile() as said:
        try:
            subprocess.run(
                [program, "--version"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/"},
                start_new_session=True,
                timeout=_SECONDS,
                check=False,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        except subprocess.TimeoutExpired:
            return None
        said.seek(0)
        return said.read(1000).decode("utf-8", "replace")
