"""What a check does, written as a command for a shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

from wizard.probe import Request, bracketed

if TYPE_CHECKING:
    from wizard.checks import ClientFiles, TlsService

_GRPC_CALL = Request("POST", "/", (("Content-Type", "application/grpc"), ("TE", "trailers")))
"""What curl sends where a check sends the preface of HTTP/2: a call of no method, which gRPC answers."""


def s_client(service: TlsService) -> str:
    """Write a connection to the service for openssl, as the client that its checks connect as."""
    words = ["openssl", "s_client", "-connect", str(service.endpoint), *_server_name(service.name)]
    if service.request.protocols:
        words += ["-alpn", ",".join(service.request.protocols)]
    if service.client is not None:
        words += ["-cert", str(service.client.certificate), "-key", str(service.client.key)]
    return join(words)


def _server_name(name: str) -> tuple[str, ...]:
    # Server Name Indication is for names only (RFC 6066 3).
    is_address = ":" in name or name.replace(".", "").isdigit()
    return ("-noservername",) if is_address else ("-servername", name)


def curl(
    service: TlsService,
    client: ClientFiles | None,
    name: str = "",
    *,
    scheme: str = "https",
    options: tuple[str, ...] = (),
) -> str:
    """Write the request as `name` for curl, straight to the endpoint whatever `name` resolves to."""
    name, port = name or service.name, service.endpoint.port
    request = service.request if isinstance(service.request, Request) else _GRPC_CALL
    words = ["curl", "-sSi", "--noproxy", "*", *options]
    if service.request.protocols:
        words.append("--http2" if scheme == "https" else "--http2-prior-knowledge")
    if scheme == "https":
        words += ["--cacert", str(service.ca)]
    if client is not None:
        words += ["--cert", before_passphrase(client.certificate), "--key", str(client.key)]
    host = bracketed(name)
    if name != service.endpoint.host:
        words += ["--connect-to", f"{host}:{port}:{service.endpoint}"]
    return join([*words, *request_words(request), f"{scheme}://{host}:{port}{request.path}"])


def prove_address(service: TlsService, *, with_ca: bool) -> str:
    """Write the wizard's own proof of what is served there, by its authority or by those that all trust."""
    name, endpoint = service.name, service.endpoint
    path = service.request.path if isinstance(service.request, Request) else "/"
    words = ["tls-wizard", "prove", f"https://{bracketed(name)}:{endpoint.port}{path}"]
    if name != endpoint.host:
        words += ["--connect", str(endpoint)]
    return join([*words, *(("--ca", str(service.ca)) if with_ca else ())])


def request_words(request: Request) -> Iterator[str]:
    """Write what is sent, but for the address, for curl."""
    if request.method != "GET":
        yield from ("-X", request.method)
    for header in request.headers:
        yield from ("-H", ": ".join(header))
    if request.body:
        yield from ("--data-binary", request.body.decode())


def before_passphrase(path: Path) -> str:
    """Write a path so that curl does not take what follows a colon in it for a passphrase."""
    return str(path).replace("\\", "\\\\").replace(":", "\\:")


def curl_as_stranger(service: TlsService) -> str:
    """Write the request for curl with a certificate that openssl makes first, in a folder that is removed."""
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stranger"
    files = '-keyout "$made/key" -out "$made/cert"'
    present = f'{curl(service, None)} --cert "$made/cert" --key "$made/key"'
    return f"""(made=$(mktemp -d); trap 'rm -r "$made"' EXIT; {make} {files} && {present})"""
