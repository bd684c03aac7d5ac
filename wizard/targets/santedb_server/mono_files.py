"""The files from which Mono serves TLS: certificate and key of each port, in one folder of the account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from wizard.errors import Refusal
from wizard.plan import Change, Directory, Owner, Warning
from wizard.small_files import read_small
from wizard.sources.pair import Pair, closed_to_others, contents, write
from wizard.targets.santedb_server.presented import Presented


def of_port(folder: Path, port: int, owner: Owner | None = None) -> Pair:
    """Certificate, DER, and key, PVK, of a port."""
    return Pair(folder / f"{port}.cer", folder / f"{port}.pvk", owner)


def changes(folder: Path, ports: Iterable[int], what: Presented, owner: Owner | None) -> Iterator[Change]:
    """What brings the folder to serve this on these ports.

    Raises OSError and Refusal; MaterialError for a key that Mono cannot load.
    """
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives.serialization import Encoding

    from wizard.material.description import describe
    from wizard.material.mono_keys import pvk

    key, certificate = pvk(what.key), what.leaf.public_bytes(Encoding.DER)
    yield from _folders(folder, owner)
    said = describe(what.leaf, datetime.now(UTC)).lines()
    for port in ports:
        pair = of_port(folder, port, owner)
        _check_places(pair)
        about = f"key that Mono serves port {port} with; PVK, for which there is no passphrase"
        if contents(pair.key) == key:
            yield from closed_to_others(pair, key)
        else:
            yield from write(pair.key, key, owner, about, secret=True)
        about = f"certificate that Mono serves port {port} with; DER"
        yield from write(pair.certificate, certificate, owner, about, described=said)


def _check_places(pair: Pair) -> None:
    """Raise Refusal for a symbolic link, by which the account would have root write elsewhere."""
    for path in (pair.key, pair.certificate):
        if path.is_symlink():
            raise Refusal(
                path,
                "It is a symbolic link, and what it leads to would be overwritten.",
                "Remove the link, and come back.",
            )


def _folders(folder: Path, owner: Owner | None) -> Iterator[Directory]:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        yield Directory(path=path, mode=0o700, owner=owner, about="where Mono looks for certificates")


def replaced(folder: Path, ports: Iterable[int], what: Presented) -> Iterator[Warning]:
    """Say which certificates are replaced, and whether their keys are. Raises OSError and MaterialError."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from wizard.material.mono_keys import pvk

    for port in ports:
        pair = of_port(folder, port)
        there, key = contents(pair.certificate), contents(pair.key)
        if there is None or there == what.leaf.public_bytes(Encoding.DER):
            continue
        how = ", for the same key" if key == pvk(what.key) else ", with its key"
        if key is None:
            how = ": its key is missing"
        yield Warning(f"The certificate of port {port} there is replaced{how}.", pair.certificate)


def problem(pair: Pair, what: Presented) -> str:
    """Why Mono does not serve this from these files; empty when it does. Raises OSError."""
    from cryptography.hazmat.primitives.serialization import Encoding

    if read_small(pair.certificate) != what.leaf.public_bytes(Encoding.DER):
        return f"{pair.certificate} is another certificate than the one in the folder of the files."
    if wrong := _key_problem(read_small(pair.key), what):
        return f"{pair.key}: {wrong}"
    status = pair.key.stat()
    if status.st_mode & 0o077:
        return f"{pair.key} can be read by others."
    if pair.owner and status.st_uid != pair.owner.uid:
        return f"{pair.key} belongs to another account than the service's."
    return ""


def _key_problem(data: bytes, what: Presented) -> str:
    from wizard.material import MaterialError
    from wizard.material.certificates import belongs_together
    from wizard.material.mono_keys import read_pvk, why_unfit

    try:
        key = read_pvk(data)
    except MaterialError as error:
        return str(error)
    if not belongs_together(what.leaf, key):
        return "It is the key of another certificate."
    unfit = why_unfit(key)
    return f"{unfit}." if unfit else ""
