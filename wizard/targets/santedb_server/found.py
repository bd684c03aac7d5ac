"""What is known of SanteDB on this host before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from wizard.errors import Refusal
from wizard.host import Host
from wizard.plan import Warning
from wizard.targets import Found
from wizard.targets.santedb_server import config, mono, mono_files, processes
from wizard.targets.santedb_server.address import LOOPBACK
from wizard.targets.santedb_server.processes import Running
from wizard.targets.santedb_server.products import INSTANCE


def found(host: Host) -> Found:
    """What is known of SanteDB here from its process and its files."""
    process = processes.running(host)
    if process is not None:
        return _found_running(host, process)
    for product, folder in processes.installations():
        main = processes.default_config(product, folder, INSTANCE, processes.config_home("root", {}))
        details, warnings = _of_files(main, folder, None)
        return Found(False, f"{product.label} in {folder}, not running", tuple(details), tuple(warnings))
    return Found(False, "not found here")


def _found_running(host: Host, process: Running) -> Found:
    service = process.service
    since = f"{service.started.astimezone():%Y-%m-%d %H:%M}"
    details = [str(process.config), f"runs as {service.user} since {since}{_told_version(host, process)}"]
    status = f"runs here: pid {service.pid}, {process.product.label}"
    if others := [f"pid {one.service.pid}" for one in processes.all_running(host) if one != process]:
        details.append(f"More run here: {', '.join(others)}. The configuration decides which is meant.")
    if process.in_container:
        return Found(True, f"{status} in a container", tuple(details), (Warning(container_words(process)),))
    if not service.readable:
        details.append(f"It runs as {service.user}; only root can see its files.")
        return Found(True, status, tuple(details))
    more, warnings = _of_files(process.config, process.installation, _listener_folder(process))
    warnings += _mono_warnings(host, process)
    try:
        there = config.read(process.config, process.installation)
        ports = there.ports
        warnings += named_certificate(there)
        if ports:
            schemes = (f"{one.address.scheme} on {port}" for port, (one, *_) in ports.items() if one.address)
            status += f", {', '.join(schemes)}"
            warnings += _port_warnings(process, ports)
    except (OSError, Refusal):  # told already
        pass
    return Found(True, status, (*details, *more), tuple(warnings))


def _told_version(host: Host, process: Running) -> str:
    try:
        return f", on Mono {'.'.join(map(str, mono.version_of(host, process)))}"
    except ValueError:
        return ""


def _mono_warnings(host: Host, process: Running) -> list[Warning]:
    try:
        problem = mono.problem(mono.version_of(host, process))
    except ValueError as error:
        problem = str(error)
    return [Warning(problem)] if problem else []


def _listener_folder(process: Running) -> Path | None:
    """Where its Mono looks for certificates; None: its account is not known here."""
    try:
        return mono.listener_folder(process.service.user, process)
    except KeyError:
        return None


def _of_files(main: Path, installation: Path, folder: Path | None) -> tuple[list[str], list[Warning]]:
    """Every endpoint with what is true of it, and what is wrong with them."""
    try:
        found = config.read(main, installation)
    except OSError as error:
        return [], [Warning(f"{main} cannot be read: {error.strerror}.")]
    except Refusal as error:
        return [], [Warning(str(error))]
    return [described(endpoint, folder) for endpoint in found.endpoints], list(config_warnings(found))


def described(endpoint: config.RestEndpoint, folder: Path | None) -> str:
    """An endpoint with what is true of it, by its address and by what stands where Mono looks."""
    said, address = [endpoint.words()], endpoint.address
    if address is None:
        return f"{said[0]}, left alone"
    if address.scheme == "http":
        said.append("plain HTTP")
    elif folder is not None:
        said.append("https" if _has_files(folder, address.port) else "https without a certificate")
    if address.host in LOOPBACK:
        said.append("this host only")
    return ", ".join(said)


def _has_files(folder: Path, port: int) -> bool:
    """Whether there are a certificate and a key for the port; also where that may not be seen."""
    pair = mono_files.of_port(folder, port)
    try:
        return pair.certificate.exists() and pair.key.exists()
    except OSError:
        return True


def config_warnings(found: config.Configuration) -> Iterator[Warning]:
    """What is wrong with the endpoints as they stand."""
    for port, endpoints in found.ports.items():
        schemes = {one.address.scheme for one in endpoints if one.address}
        if len(schemes) > 1:
            first = endpoints[0]
            yield Warning(
                f"On port {port} some endpoints are http and others https. All of them speak what the first "
                f"one speaks, {first.text.partition(':')[0]}, and nothing tells.",
                found.file.path,
                first.line,
            )
    for endpoint in found.endpoints:
        if endpoint.address is None:
            text = f"{endpoint.text or 'An empty address'} is no address of http or https; it is left alone."
            yield Warning(text, found.file.path, endpoint.line)


def named_certificate(found: config.Configuration) -> Iterator[Warning]:
    """Say that a certificate which the configuration names is read by nobody."""
    named = [one for one in found.endpoints for said in found.certificates(one) if said.get("findValue")]
    if named:
        yield Warning(
            "The configuration names a certificate, which SanteDB never reads when it runs: only its "
            "configuration tool on Windows does. What Mono serves is in the folder of its listener.",
            found.file.path,
            named[0].line,
        )


def _port_warnings(
    process: Running, ports: Mapping[int, tuple[config.RestEndpoint, ...]]
) -> Iterator[Warning]:
    """Ports that are https without a certificate that Mono would find."""
    folder = _listener_folder(process)
    if folder is None:
        return
    missing = [
        port
        for port, endpoints in ports.items()
        if any(one.address and one.address.scheme == "https" for one in endpoints)
        and not _has_files(folder, port)
    ]
    for port in missing:
        yield Warning(
            f"Port {port} is https, but there is no {port}.cer with {port}.pvk in {folder}: every connection "
            "is reset, without a word."
        )
    if missing and (other := mono.misplaced(folder)):
        yield Warning(f"There are files in {other}, where Mono does not look: it reads {folder}.")


def container_words(process: Running) -> str:
    """What to do about a SanteDB in a container, or one that takes its addresses from the environment."""
    given = [f"{name}={value}" for name, value in process.listen_variables.items()]
    told = f" Its addresses come from the environment ({', '.join(given)}), not from a file." if given else ""
    return (
        f"It runs in a container, whose files are its own.{told} Put nginx before it. Or set https:// in the "
        "addresses, and mount a folder with the certificates at /root/.config/.mono/httplistener."
    )
