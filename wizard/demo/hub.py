"""A stand-in for IOTA Hub, to practise on: it reads Hub's flags and behaves as Hub does towards TLS.

Follows iotaledger/hub at 9df503d4: common/flags.cc, common/http_server_base.cc, common/grpc_server_base.cc,
hub/server/grpc_server.cc and hub/server/hub_server_base.cc. There is no database and no ledger, and the gRPC
API knows none of its methods. Salt and database flags are accepted and not used.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeAlias

from wizard.demo import gflags, hub_grpc

_FLAGS: dict[str, gflags.Value] = {
    "salt": "",
    "listenAddress": "0.0.0.0:50051",
    "sslCert": "/dev/null",
    "sslKey": "/dev/null",
    "sslCA": "/dev/null",
    "sslDH": "/dev/null",
    "authMode": "none",
    "maxConcurrentArgon2Hash": 4,
    "argon2TCost": 4,
    "argon2MCost": 1 << 17,
    "argon2Parallelism": 1,
    "argon2Mode": 2,
    "keySecLevel": 2,
    "numThreadsHttp": 4,
    "apiAddress": "127.0.0.1:14265",
    "monitorInterval": 60000,
    "attachmentInterval": 240000,
    "sweepInterval": 600000,
    "minWeightMagnitude": 9,
    "depth": 3,
    "hmacKeyPath": "/dev/null",
    "authProvider": "none",
    "signingMode": "local",
    "signingProviderAddress": "0.0.0.0:50052",
    "signingServerSslCert": "/dev/null",
    "signingServerChainCert": "/dev/null",
    "signingServerKeyCert": "/dev/null",
    "powMode": "remote",
    "fetchTransactionMessages": False,
    "useHttpsIRI": False,
    "serverType": "grpc",
    "dbType": "mariadb",
    "dbHost": "127.0.0.1",
    "dbPort": 3306,
    "db": "hub",
    "dbUser": "user",
    "dbPassword": "password",
    "dbDebug": False,
    # of glog, which Hub logs with
    "alsologtostderr": False,
    "log_dir": "",
    "logtostderr": False,
    "minloglevel": 0,
    "stderrthreshold": 2,
    "v": 0,
}

_COMMANDS: dict[str, dict[str, str]] = {"CreateUser": {}, "GetStats": {"totalBalance": "0"}}

_LONGEST_BODY = 10_000
_MOST_CONNECTIONS = 64
_IDLE_SECONDS = 30


class _Fatal(Exception):
    """Hub logs this and aborts."""


class _Terminated(BaseException):
    """SIGTERM or SIGINT came."""


BuildAndStart: TypeAlias = Callable[[str, hub_grpc.Files | None], object]
"""Starts a gRPC server at an address, secured if files are given, and returns it; None, as gRPC does, when
that cannot be done."""


def main(arguments: Sequence[str], build_and_start: BuildAndStart | None = None) -> int:
    """Run until SIGTERM; returns the exit code of the real program. Another gRPC server may be given."""
    try:
        flags = gflags.parse(arguments, _FLAGS)
    except gflags.FlagErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    _log("I", "Hub starting up.")
    try:
        if flags["serverType"] == "http":
            return _serve_rest(flags)
        return _serve_grpc(flags, build_and_start or _build_and_start)
    except _Fatal as error:
        _log("F", str(error))
        return 128 + signal.SIGABRT


def _serve_rest(flags: Mapping[str, gflags.Value]) -> int:
    _log("I", "Hub http server was successfully initialized")
    # Hub cuts at the first colon and takes an address, no name.
    host, _, port = str(flags["listenAddress"]).partition(":")
    try:
        address = (str(IPv4Address(host)), int(port))
    except (AddressValueError, ValueError):
        _log("E", "Failed initializing http server")
        return 1
    context = _rest_context(flags)
    try:
        server = _Server(address, _RestSession, context)
    except (OSError, OverflowError) as error:
        _log("E", f"bind: {error}")
        return 1
    with suppress(_Terminated), server:
        signal.signal(signal.SIGTERM, _terminate)
        signal.signal(signal.SIGINT, _terminate)
        server.serve_forever()
    return 0


def _rest_context(flags: Mapping[str, gflags.Value]) -> ssl.SSLContext:
    """Load what the flags name, in Hub's order. _Fatal: the first of them that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    if flags["authMode"] != "ssl":
        if flags["authMode"] != "none":
            _log("E", f"Unknown auth mode: {flags['authMode']}")
        return context
    # Without any authority, so a client that presents a certificate is refused and one without is not.
    context.verify_mode = ssl.CERT_OPTIONAL
    certificate, key, dh = (str(flags[name]) for name in ("sslCert", "sslKey", "sslDH"))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(certificate)
    except (OSError, ValueError) as error:
        raise _Fatal(f"Failed setting certificate chain file with error: {_reason(error)}") from error
    try:
        context.load_cert_chain(certificate, key, password=hub_grpc.no_password)
    except (OSError, ValueError) as error:
        raise _Fatal(f"Failed setting private key file with error: {_reason(error)}") from error
    try:
        if b"-----BEGIN DH PARAMETERS-----" not in Path(dh).read_bytes():
            raise ValueError("no start line")  # BoringSSL, which Hub is built with, knows no other header
        context.load_dh_params(dh)
    except (OSError, ValueError) as error:
        raise _Fatal(f"Failed setting DH file with error: {_reason(error)}") from error
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _serve_grpc(flags: Mapping[str, gflags.Value], build_and_start: BuildAndStart) -> int:
    address, mode = str(flags["listenAddress"]), flags["authMode"]
    _log("I", f"Using auth mode: {mode}")
    if mode not in ("none", "ssl"):
        raise _Fatal(f"Unknown auth mode: {mode}")
    files = _grpc_files(flags) if mode == "ssl" else None
    # Blocked before there are other threads, so that none of them is given the signal instead of this one.
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    server = build_and_start(address, files)
    _log("I", f"Server listening on {address}")
    if server is None:  # Hub says so without looking, and then uses the server it does not have
        return 128 + signal.SIGSEGV
    signal.sigwait(ending)
    return 0


def _grpc_files(flags: Mapping[str, gflags.Value]) -> hub_grpc.Files:
    """Name the files, in the order in which Hub reads them. _Fatal: one cannot be read."""
    names = [str(flags[flag]) for flag in ("sslKey", "sslCert", "sslCA")]
    for name in names:
        if not name or not os.access(name, os.R_OK):
            raise _Fatal(f"File: {name} does not exist.")
    return hub_grpc.Files(*map(Path, names))


def _build_and_start(address: str, files: hub_grpc.Files | None) -> list[_Server] | None:
    servers = []
    try:
        context = hub_grpc.credentials(files) if files else None
        for found in hub_grpc.addresses(address):
            with suppress(OSError):  # one address of a name is enough
                servers.append(_Server(found, _GrpcSession, context))
    except (OSError, ValueError):
        return None
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return servers or None


class _Server(socketserver.ThreadingTCPServer):
    """One thread for each connection, up to a limit beyond which connections are closed at once."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        address: tuple[Any, ...],
        session: type[socketserver.BaseRequestHandler],
        context: ssl.SSLContext | None,
    ) -> None:
        self.context = context
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, session)

    def verify_request(self, request: object, client_address: object) -> bool:
        return threading.active_count() <= _MOST_CONNECTIONS

    def handle_error(self, request: object, client_address: object) -> None:
        _log("E", f"session: {sys.exc_info()[1]}")


class _GrpcSession(socketserver.BaseRequestHandler):
    """One client of the gRPC API."""

    server: _Server

    def handle(self) -> None:
        self.request.settimeout(_IDLE_SECONDS)
        with suppress(TimeoutError):
            hub_grpc.converse(self.request, self.server.context)


class _RestSession(BaseHTTPRequestHandler):
    """TLS or plain HTTP on the same port, whichever the client begins with, as Beast's async_detect_ssl."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: _Server

    def setup(self) -> None:
        self.request.settimeout(_IDLE_SECONDS)
        if self.request.recv(1, socket.MSG_PEEK) == b"\x16":  # record type handshake, RFC 8446 5.1
            assert self.server.context is not None, "there is always one for the REST API"
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)
        self.request.close()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LONGEST_BODY:
            self.close_connection = True  # Beast ends the session without an answer
            return
        body = self.rfile.read(int(length))
        if not body:
            self._answer(500, "An error occurred: 'Empty request'")
            return
        try:
            command = str(json.loads(body)["command"])
        except (ValueError, KeyError, TypeError):
            self._answer(400, "Not a JSON object with a command\n")
            return
        if command in _COMMANDS:
            self._answer(200, json.dumps(_COMMANDS[command], indent=4) + "\n")
        else:
            self._answer(400, f"Unknown command: {command}\n")

    def _unknown_method(self) -> None:
        self._answer(400, "Unknown HTTP-method")

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _unknown_method

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "hub stand-in"

    def log_message(self, format: str, *args: object) -> None:
        """Hub does not log requests."""


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _log(level: str, message: str) -> None:
    """Write as glog does, to standard error."""
    print(
        f"{level}{datetime.now():%m%d %H:%M:%S.%f} {os.getpid()} hub] {message}", file=sys.stderr, flush=True
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
