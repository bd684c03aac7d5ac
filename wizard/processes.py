"""Reads processes and addresses through psutil. Nothing is changed, nothing is started."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil

from wizard.host import Service

T = TypeVar("T")

INTERPRETERS = ("python", "bash", "sh", "dash", "perl", "env")
SUPERVISORS = ("supervisord", "systemd", "init", "tini", "dumb-init")
SUPERVISED_NAME = re.compile(r"(?!all$)\w[\w.-]*", re.ASCII)
"""Of a program or a group; supervisorctl reads "all" and options in its own way."""
VIRTUAL_INTERFACES = ("docker", "br-", "veth", "virbr", "cni", "flannel")


def addresses() -> tuple[str, ...]:
    """Addresses that others can use: no loopback, link-local or container bridges."""
    found: list[str] = []
    for interface, addresses in sorted(psutil.net_if_addrs().items()):
        if interface.startswith(VIRTUAL_INTERFACES):
            continue
        for address in addresses:
            text = address.address.split("%")[0]
            is_ip = address.family in (socket.AF_INET, socket.AF_INET6)
            if is_ip and not text.startswith(("127.", "169.254.", "fe80")) and text != "::1":
                found.append(text)
    return tuple(dict.fromkeys(found))


def services() -> tuple[Service, ...]:
    """Every process that can be seen, as far as it may be read."""
    found = []
    for process in psutil.process_iter():
        try:
            service = _service(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if service is not None:
            found.append(service)
    return tuple(found)


def _service(process: psutil.Process) -> Service | None:
    """The process as a service; None for kernel threads and programs that listen nowhere."""
    with process.oneshot():
        arguments = _allowed(process.cmdline) or []
        connections = _allowed(lambda: process.net_connections(kind="tcp"))
        listening = {(c.laddr.ip, c.laddr.port) for c in connections or () if c.status == psutil.CONN_LISTEN}
        if not arguments or (connections is not None and not listening and not _may_listen_yet(arguments)):
            return None
        directory = _allowed(process.cwd)
        return Service(
            pid=process.pid,
            arguments=tuple(arguments),
            program=_program(arguments),
            directory=Path(directory) if directory else None,
            user=process.username(),
            started=datetime.fromtimestamp(process.create_time(), UTC),
            listening=tuple(sorted(listening)),
            launcher=_launcher(process),
            restart=_restart(process),
        )


def _may_listen_yet(arguments: list[str]) -> bool:
    """Whether it is an nginx, which listens nowhere while it has no servers."""
    return " ".join(arguments).startswith("nginx: master process")


def started(pid: int) -> float:
    """When a process was started, in seconds since 1970, to the hundredth; raises OSError.

    By the time since boot (proc(5), /proc/pid/stat, field 22), for the time of boot is told in whole seconds.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)


def _allowed(read: Callable[[], T]) -> T | None:
    """What `read` returns, or None when this user may not know."""
    try:
        return read()
    except (psutil.AccessDenied, PermissionError):
        return None


def _program(arguments: list[str]) -> str:
    """The base name of what runs; for `python3 /opt/x/hub --flag` that is hub.

    nginx writes a title over its arguments: "nginx: master process /usr/sbin/nginx -g daemon off;".
    """
    if arguments[0].startswith("nginx:"):
        return "nginx"
    words = [Path(word).name for word in arguments]
    if words[0].rstrip("0123456789.") in INTERPRETERS:
        return next((word for word in words[1:] if not word.startswith("-")), words[0])
    return words[0]


def _launcher(process: psutil.Process) -> Path | None:
    """The script a shell among the ancestors is running, with its full path."""
    try:
        for ancestor in process.parents():
            words = ancestor.cmdline()
            if not words or Path(words[0]).name in SUPERVISORS:
                return None
            if Path(words[0]).name in ("bash", "sh", "dash"):
                script = next((word for word in words[1:] if not word.startswith("-")), None)
                if script is not None and "-c" not in words:
                    return Path(ancestor.cwd(), script)
    except (psutil.Error, OSError):
        return None
    return None


def _under_supervisord(process: psutil.Process) -> bool:
    """Whether a supervisord of root, or of whoever asks, is among the ancestors."""
    try:
        return any(
            _program(ancestor.cmdline() or [""]) == "supervisord"
            and ancestor.uids().effective in (0, os.geteuid())
            for ancestor in process.parents()
        )
    except (psutil.Error, OSError):
        return False


def _restart(process: psutil.Process) -> tuple[str, ...]:
    """`supervisorctl restart NAME` or `systemctl restart UNIT`, when one of them runs the process.

    Root is offered this command, so what the process says of itself counts only below a supervisord, and only
    as a name.
    """
    environment = _allowed(process.environ) or {}
    name = environment.get("SUPERVISOR_PROCESS_NAME", "")
    group = environment.get("SUPERVISOR_GROUP_NAME", name)
    if SUPERVISED_NAME.fullmatch(name) and SUPERVISED_NAME.fullmatch(group) and _under_supervisord(process):
        return ("supervisorctl", "restart", name if group == name else f"{group}:{name}")
    try:
        cgroup = Path(f"/proc/{process.pid}/cgroup").read_text()
    except OSError:
        return ()
    unit = cgroup.strip().rpartition("/")[2]
    if unit.endswith(".service") and "/user.slice/" not in cgroup:
        return ("systemctl", "restart", unit)
    return ()
