"""The key of a certificate, and what is wrong with it: a sentence or two each, with what to do."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate

from wizard.inventory.places import AGAIN, unreadable
from wizard.small_files import read_small


def key_of(certificate: Path) -> Path:
    """Where the key belongs that was written with a certificate."""
    # A pair is called hub.crt and hub.key, or cert.pem and key.pem.
    is_plain = certificate.name == "cert.pem"
    return certificate.with_name("key.pem") if is_plain else certificate.with_suffix(".key")


def key_faults(path: Path, leaf: Certificate, *, is_needed: bool) -> Iterator[str]:
    """What is wrong with the key of this certificate; that it is missing, if it is needed here."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)  # of what a link leads to, since services follow it
        content = read_small(path)
    except (FileNotFoundError, NotADirectoryError):
        if is_needed:
            yield (
                f"Its key {path} is missing, and the service cannot start again without it. "
                f"Put it back from a backup, {AGAIN}"
            )
    except OSError as error:
        yield unreadable(f"Its key {path}", path, error)
    else:
        yield from _content_faults(path, content, leaf)
        if mode & 0o066:
            verb = "read" if mode & 0o044 else "change"
            yield (
                f"Others can {verb} its key {path}: chmod 600 {quote(str(path))} "
                "and, if somebody may have copied it, have a certificate made for a new key."
            )


def _content_faults(path: Path, content: bytes, leaf: Certificate) -> Iterator[str]:
    try:
        # To check the primes of an RSA key takes up to 0.4 seconds, and nothing is done with the key.
        key = load_pem_private_key(content, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:  # it is under a passphrase
        return
    except (ValueError, UnsupportedAlgorithm):
        is_there = b"PRIVATE KEY-----" in content
        what = "Its key is damaged" if is_there else "There is no private key any more where its key was"
        yield f"{what}. Put {path} back from a backup, {AGAIN}"
        return
    if key.public_key() != leaf.public_key():
        yield (
            f"The key {path} does not belong to it: one of them was exchanged, and no service starts with "
            f"both. Put the right one back, {AGAIN}"
        )
