"""The nginx of this host: its program, what it was built with, which configuration it runs with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from wizard.host import Host, Service
from wizard.plan import Command
from wizard.programs import asked

_PLACES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx")
_MASTER = "nginx: master process "
_OPTIONS = ("-c", "-p", "-g", "-e")

_VERSION = re.compile(r"nginx version: \S+?/(\d+)\.(\d+)\.(\d+)")
_OPENSSL = re.compile(r"(?:built|running) with OpenSSL (\d+)\.(\d+)\.(\d+)")
_ARGUMENT = re.compile(r"--(?P<name>[\w-]+)(?:=(?P<value>'[^']*'|\S*))?")

Numbers = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Nginx:
    """A program with the configuration it has, or would have."""

    program: Path
    version: Numbers
    openssl: Numbers
    """Of the OpenSSL it runs with; zeros for another library."""
    http2: bool
    """Whether it was built with HTTP/2."""
    tls: bool
    """Whether it was built with TLS."""
    config: Path
    """The main file."""
    options: tuple[str, ...]
    """With what it is started, the configuration included."""
    service: Service | None = None
    """The master process; None while it does not run."""

    @property
    def number(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))

    @property
    def test(self) -> tuple[str, ...]:
        """The command that checks the configuration."""
        return (str(self.program), *self.options, "-t")

    @property
    def reload(self) -> Command:
        """How it takes up a changed configuration, or is started."""
        supervisor = self.service.restart[:2] if self.service else ()
        if self.service and supervisor == ("systemctl", "restart"):
            return Command(("systemctl", "reload", *self.service.restart[2:]), "reload nginx")
        if self.service:
            return Command((str(self.program), *self.options, "-s", "reload"), "reload nginx")
        return Command((str(self.program), *self.options), "start nginx")


def find(host: Host, config: Path | None = None) -> Nginx | None:
    """The nginx that runs with this configuration, else one that is installed; None: there is none.

    Without a configuration the likeliest to be meant.
    """
    for service in masters(host):
        if (found := _running(host, service)) and (config is None or _same(found.config, config)):
            return found
    program = next((Path(place) for place in (which("nginx"), *_PLACES) if place and _is_file(place)), None)
    program = program or next((p for service in masters(host) if (p := _program(service))), None)
    return _with(program, {"-c": str(config)} if config else {}, None, "") if program else None


def masters(host: Host) -> tuple[Service, ...]:
    """The master processes, those of this user first."""
    found = (one for one in host.running("nginx") if " ".join(one.arguments).startswith(_MASTER))
    return tuple(sorted(found, key=lambda one: (one.user != host.user, one.pid)))


def _running(host: Host, service: Service) -> Nginx | None:
    program = _program(service)
    if program is None:
        return None
    options = _options(" ".join(service.arguments).removeprefix(_MASTER))
    return _with(program, options, service, service.user if host.root and service.user != "root" else "")


def _program(service: Service) -> Path | None:
    """The file of the program; None where it may not be seen, or is another container's."""
    try:
        if os.stat(f"/proc/{service.pid}/ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino:  # noqa: PTH116 -- they are links that lead nowhere
            return None
        found = Path(os.readlink(f"/proc/{service.pid}/exe").removesuffix(" (deleted)"))  # noqa: PTH115 -- the suffix is not part of the path
    except OSError:
        return None
    return found if found.is_file() else None


def _options(title: str) -> dict[str, str]:
    """The options in the title of a master process, in which the arguments stand with blanks between."""
    found: dict[str, str] = {}
    name = ""
    for word in title.split(" ")[1:]:
        if word[:2] in _OPTIONS:
            name, found[word[:2]] = word[:2], word[2:]
        elif name:
            found[name] = f"{found[name]} {word}".strip()
    return found


def _with(program: Path, options: dict[str, str], service: Service | None, user: str) -> Nginx | None:
    try:
        said = asked(program, "-V", user=user) or ""
    except (OSError, KeyError):
        return None
    version = _VERSION.search(said)
    if version is None:
        return None
    built = {found["name"]: (found["value"] or "").strip("'") for found in _ARGUMENT.finditer(said)}
    prefix = Path(options.get("-p") or built.get("prefix") or "/usr/local/nginx")
    config = prefix / (options.get("-c") or built.get("conf-path") or "conf/nginx.conf")
    openssl = _OPENSSL.findall(said)
    return Nginx(
        program=program,
        version=_numbers(version.groups()),
        openssl=_numbers(openssl[-1]) if openssl else (0, 0, 0),
        http2="with-http_v2_module" in built,
        tls="with-http_ssl_module" in built,
        config=config,
        options=tuple(_given({**options, "-c": str(config)})),
        service=service,
    )


def _given(options: dict[str, str]) -> Iterator[str]:
    for name, value in options.items():
        yield from (name, value)


def _numbers(texts: tuple[str, ...]) -> Numbers:
    first, second, third = map(int, texts)
    return first, second, third


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _is_file(place: str) -> bool:
    return Path(place).is_file()


def kernel_has_ipv6() -> bool:
    """Whether `listen [::]:443` can work here; else nginx does not start with it."""
    return Path("/proc/net/if_inet6").exists()
