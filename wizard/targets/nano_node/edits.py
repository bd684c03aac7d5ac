"""Edits of a Nano node's configuration, and what is to know about it before and afterwards."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from wizard.errors import Refusal
from wizard.files import user_name
from wizard.formats import toml
from wizard.formats.splice import CannotEdit
from wizard.formats.toml_scan import Entry
from wizard.plan import File, Owner, Warning
from wizard.targets.nano_node.config import (
    NODE,
    RPC,
    SECURE,
    Config,
    Era,
    as_ipv6,
    is_open,
    listening,
    read,
    refusal,
    settings_in,
)

_SECRET = re.compile(r"pass|secret|token|credential", re.I)


def edits(data: Path, era: Era, values: Mapping[str, toml.Value], owner: Owner | None) -> Iterator[File]:
    """The files with these settings, and without those that stop this version.

    The one with the passphrase becomes 0600. Both belong to `owner`: the node opens its files for reading and
    writing, and takes one that it may not write for empty. Raises OSError or Refusal.
    """
    if era is Era.TLS_FILE:
        yield from _without_secure(read(data / RPC), owner)
    config = settings_in(data, era)
    try:
        after = toml.set_values(config.document, era.table, values)
    except CannotEdit as error:
        raise refusal(config.path, error) from None
    if after != config.document.data or _is_open(config.path, owner):
        about = "settings of TLS, with the passphrase of the key" if _secrets(after) else "settings of TLS"
        yield _file(config, after, owner, about, mode=0o600)


def _without_secure(rpc: Config, owner: Owner | None) -> Iterator[File]:
    try:
        after = toml.remove_table(rpc.document, SECURE)
    except CannotEdit as error:
        raise refusal(rpc.path, error) from None
    if after != rpc.document.data:
        yield _file(rpc, after, owner, "without [secure], on which the node stops since V23")


def _file(config: Config, after: bytes, owner: Owner | None, about: str, mode: int | None = None) -> File:
    data = config.document.data
    return File(
        path=config.path,
        before=data if config.there else None,
        after=after,
        mode=mode,
        owner=owner,
        hidden=tuple(dict.fromkeys((*_secrets(data), *_secrets(after)))),
        about=about,
    )


def _is_open(path: Path, owner: Owner | None) -> bool:
    """Whether others can read it, or it is not the owner's."""
    status = path.stat()
    return bool(status.st_mode & 0o077) or (owner is not None and owner.uid != status.st_uid)


def _secrets(data: bytes) -> tuple[bytes, ...]:
    """The secret values in a file as they stand there, commented-out ones included, without their quotes."""
    document = toml.read(data)
    live = [(e.path, data[e.value_start : e.value_end], e.value) for e in _each(document.entries)]
    dead = [(d.path, data[d.start : d.end].partition(b"=")[2], None) for d in document.defaults]
    found = []
    for path, text, value in (*live, *dead):
        if _SECRET.search(path[-1]):
            found.append(text.strip().strip(b"\"'"))
            found += [value.encode()] if isinstance(value, str) else []
    return tuple(dict.fromkeys(filter(None, found)))


def _each(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries, with those in braces."""
    for entry in entries:
        yield entry
        yield from _each(entry.members or ())


# What to know -----------------------------------------------------------------------------------------------


def troubles(config: Config) -> Iterator[Warning]:
    """What in a file keeps the node from starting, or is read otherwise than it looks."""
    for line, said in toml.nano_trouble(config.document):
        yield Warning(f"{said} Where the node knows this setting, it does not start.", config.path, line)


def troubles_left(data: Path, era: Era, edited: Iterable[File]) -> Iterator[Warning]:
    """What of that is still there after the edits, in the files that this era reads."""
    after = {file.path: file.after or b"" for file in edited}
    for path in dict.fromkeys((data / RPC, data / era.value)):
        yield from troubles(Config(path, toml.read(after[path]), there=True) if path in after else read(path))


def ignored(data: Path, era: Era, edited: Iterable[File], owner: Owner | None) -> Iterator[Warning]:
    """The files that the node takes for empty, since its account may not write them."""
    changed = {file.path for file in edited}
    for path in dict.fromkeys((data / NODE, data / RPC, data / era.value)):
        if path.exists() and path not in changed and not _may_write(path, owner):
            account = user_name(owner.uid) if owner else "ACCOUNT"
            yield Warning(
                "The node silently ignores this file, since its account may not write it (it opens it for "
                f"reading and writing). Give it away: chown {account} {path}",
                path,
            )


def _may_write(path: Path, owner: Owner | None) -> bool:
    """Whether the account may, as far as the permission bits tell."""
    if owner is None:
        return os.access(path, os.R_OK | os.W_OK)
    status = path.stat()
    if owner.uid in (0, status.st_uid):
        return owner.uid == 0 or status.st_mode & 0o600 == 0o600
    if owner.gid == status.st_gid:
        return status.st_mode & 0o060 == 0o060
    return status.st_mode & 0o006 == 0o006


def repairs(config: Config, era: Era, values: Mapping[str, toml.Value]) -> Iterator[Warning]:
    """What is mended in the file on the way. Raises Refusal."""
    try:
        for line, said in toml.repairs(config.document, era.table, values):
            yield Warning(said, config.path, line)
    except CannotEdit as error:
        raise refusal(config.path, error) from None


def address_warnings(rpc: Config) -> Iterator[Warning]:
    """What is wrong with the address the RPC listens on, or dangerous."""
    address = rpc.value("address")
    if isinstance(address, str) and as_ipv6(address) is None:
        yield rpc.says(
            f'The node takes IPv6 addresses only, and does not start with "{address}". '
            f'For an IPv4 address write "::ffff:" before it.',
            "address",
        )
    if rpc.value("enable_control") in (True, "true") and is_open(listening(rpc)[0]):
        yield rpc.says(
            "DANGER: enable_control is on, and the RPC listens on an address that others can reach. Whoever "
            "gets in can stop the node and take the money in its wallets. Bind the RPC to ::1, or switch "
            "enable_control off.",
            "enable_control",
        )


def enabled_warnings(data: Path) -> Iterator[Warning]:
    """The RPC has to be switched on in the node's own file."""
    try:
        node = read(data / NODE)
    except (OSError, Refusal) as error:
        yield Warning(f"Whether the RPC is switched on cannot be seen: {error}")
        return
    if node.value("rpc", "enable") not in (True, "true"):
        where = "Set enable = true under [rpc], or the node has no RPC to secure."
        yield node.says(f"The RPC is not switched on in {NODE}. {where}", "rpc", "enable")
