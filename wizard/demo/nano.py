"""A stand-in for the Nano node, to practise on: it reads the node's files and treats TLS as the node does.

Follows nanocurrency/nano-node, V21 to V27: nano/nano_node/entry.cpp and daemon.cpp, nano/lib/tlsconfig.cpp
(in V21 and V22 nano/rpc/rpc_secure.cpp) and nano/rpc/rpc_connection.cpp. There is no ledger and no network,
the RPC knows one action and always runs in the node's own process, and config.json of before V20 is not
looked at.

One thing is missing: the node lets in whoever sends a self-signed root along with a certificate, for it makes
a success of X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN. Python's ssl offers no way to do that.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeAlias

from wizard.demo.nano_config import (
    Build,
    ConfigError,
    Era,
    NullPointer,
    Rpc,
    Tls,
    read_rpc,
    read_tls,
    rpc_enabled,
)

HINTS = {
    Era.SECURE_TABLE: "Make sure the paths in the secure rpc configuration are correct.",
    Era.TLS_FILE: "Make sure the paths and the passphrase in config-tls.toml are correct.",
}
"""How the node ends what it says when it cannot load certificates."""

_ANSWERS = {"block_count": {"count": "1", "unchecked": "0", "cemented": "1"}}

_BUILD = '0000000 "stand-in"'

_MOST_CONNECTIONS = 64
_IDLE_SECONDS = 30


class Log:
    """The node's log, a file of its own for each start."""

    def __init__(self, folder: Path) -> None:
        (folder / "log").mkdir(exist_ok=True)
        self.path = folder / "log" / f"log_{datetime.now():%Y-%m-%d_%H-%M-%S.%f}.log"

    def write(self, message: str) -> None:
        with self.path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"[{datetime.now():%Y-%b-%d %H:%M:%S.%f}]: {message}\n")


Serve: TypeAlias = Callable[[Rpc, Tls, Era, Log], int]
"""Serves the RPC until SIGTERM and returns the exit code; loads the certificates where TLS is switched on."""


class _Terminated(BaseException):
    """SIGTERM or SIGINT came."""


# The program ------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str], build: Build | None = None, serve: Serve | None = None) -> int:
    """Do what the options say; returns the exit code of the real program. Another server may be given."""
    build = build or Build()
    parser = _parser(build)
    try:
        options, unknown = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        return _fail(str(error))
    if unknown:
        return _fail(f"unrecognised option '{unknown[0]}'")
    if options.generate_config:
        print(generated_config(options.generate_config), end="")
    elif options.daemon and options.data_path:
        with suppress(_Terminated):
            signal.signal(signal.SIGTERM, _terminate)
            signal.signal(signal.SIGINT, _terminate)
            return _run(options, build, serve or _serve)
    elif options.version:
        print(f"Version V{build.version}\nBuild Info {_BUILD}")
    else:
        parser.print_help()
        return 255
    return 0


def _parser(build: Build) -> argparse.ArgumentParser:
    kinds = [kind for kind in _GENERATED if kind != "tls" or build.era is Era.TLS_FILE]
    parser = argparse.ArgumentParser("nano_node", add_help=False, exit_on_error=False)
    parser.add_argument("--daemon", action="store_true", help="start the node; needs --data_path here")
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--generate_config", choices=kinds, help="print a file with all defaults")
    parser.add_argument("--data_path", type=Path, metavar="DIR", help="where the files are")
    for name in ("--config", "--rpcconfig"):
        parser.add_argument(name, metavar="KEY=VALUE", action="extend", nargs="+", default=[])
    parser.add_argument("--network", help="is not used")
    return parser


def _run(options: argparse.Namespace, build: Build, serve: Serve) -> int:
    folder: Path = options.data_path
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        folder.chmod(0o700)
    try:
        with_rpc = rpc_enabled(folder, options.config)
    except ConfigError as error:
        print(f"Error deserializing config: {error}", file=sys.stderr)
        return 0
    except NullPointer:
        return 128 + signal.SIGSEGV
    log, tls = Log(folder), Tls()
    if build.era is Era.TLS_FILE:
        try:
            tls = read_tls(folder)
        except ConfigError as error:
            return _fail(str(error))
        if (tls.https or tls.wss) and not build.secure_rpc:
            return _fail(
                "https or wss is enabled in the TLS configuration, "
                "but the node is not built with NANO_SECURE_RPC"
            )
    print("Starting up Nano node...")
    print(f"Network: live, version: V{build.version}\nPath: {folder}\nBuild Info: {_BUILD}", flush=True)
    if with_rpc:
        return _run_rpc(options, build, tls, log, serve)
    while True:
        time.sleep(0.1)


def _run_rpc(options: argparse.Namespace, build: Build, tls: Tls, log: Log, serve: Serve) -> int:
    try:
        rpc = read_rpc(options.data_path, build.era, options.rpcconfig)
    except ConfigError as error:
        print(error)
        return 1
    except NullPointer:
        return 128 + signal.SIGSEGV
    if build.era is Era.SECURE_TABLE:
        tls = rpc.tls
        if tls.https and not build.secure_rpc:
            _fail("RPC configured for TLS, but the node is not compiled with TLS support")
            return 128 + signal.SIGSEGV  # it then starts the server that it does not have
    return serve(rpc, tls, build.era, log)


def _fail(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return 1


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


# The server -------------------------------------------------------------------------------------------------


def _serve(rpc: Rpc, tls: Tls, era: Era, log: Log) -> int:
    context = _loaded(tls, era, log) if tls.https or tls.wss else None
    try:
        server = _Server(rpc, context if tls.https else None, log)
    except OSError as error:
        print(f"Error while running node ({error.strerror})", file=sys.stderr)
        return 0
    with server:
        server.serve_forever(poll_interval=0.1)
    return 0


def _loaded(tls: Tls, era: Era, log: Log) -> ssl.SSLContext:
    """Load the files in the node's order. After the first that cannot be used come no more, and it goes on.

    The last thing is to check clients: without DH parameters nobody is checked.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET  # nor has the node a cache of sessions, which Python does not offer
    try:
        passphrase = os.fsencode(tls.server_key_passphrase)
        context.load_cert_chain(tls.server_cert_path, tls.server_key_path, passphrase)
        context.load_dh_params(tls.server_dh_path)
        if tls.client_certs_path:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(capath=tls.client_certs_path)
        log.write("TLS: successfully configured")
    except (OSError, ValueError) as error:
        message = f"Could not load certificate information: {_reason(error)}. {HINTS[era]}"
        print(message, file=sys.stderr, flush=True)
        log.write(message)
    return context


def _reason(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


class _Server(socketserver.ThreadingTCPServer):
    """One thread for each connection, up to a limit beyond which connections are closed at once."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, rpc: Rpc, context: ssl.SSLContext | None, log: Log) -> None:
        self.context = context
        self.most_octets = rpc.max_request_size
        self._log = log
        super().__init__((rpc.address, rpc.port), _Session)

    def verify_request(self, request: object, client_address: object) -> bool:
        return threading.active_count() <= _MOST_CONNECTIONS

    def handle_error(self, request: object, client_address: object) -> None:
        what = "TLS: Handshake error" if self.context else "RPC header error"
        self._log.write(f"{what}: {_reason(sys.exc_info()[1])}")


class _Session(BaseHTTPRequestHandler):
    """One request on one connection. Whoever begins without TLS where it is switched on is not answered."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: _Server

    def setup(self) -> None:
        self.request.settimeout(_IDLE_SECONDS)
        if self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        with suppress(OSError, ValueError):
            self.request.settimeout(1)
            if isinstance(self.request, ssl.SSLSocket):
                self.request.unwrap()
        self.request.close()

    def handle_one_request(self) -> None:
        assert isinstance(self.rfile, BufferedReader)
        first = self.rfile.peek(1)[:1]
        if b" " < first < b"\x7f":
            super().handle_one_request()
        elif first:  # such as the first message of TLS
            self.requestline, self.request_version = "", self.protocol_version
            self._answer({"error": "Invalid header: bad method"})
            self.close_connection = True

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > self.server.most_octets:
            self.close_connection = True  # Beast ends the session without an answer
            return
        try:
            action = str(json.loads(self.rfile.read(int(length)))["action"])
        except (ValueError, KeyError, TypeError):
            self._answer({"error": "Unable to parse JSON"})
            return
        self._answer(_ANSWERS.get(action, {"error": "Unknown command"}))

    def do_OPTIONS(self) -> None:
        self._answer(None)

    def _other_method(self) -> None:
        self._answer({"error": "Can only POST requests"})

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = _other_method

    def _answer(self, content: dict[str, str] | None) -> None:
        body = json.dumps(content, indent=4).encode() + b"\n" if content else b""
        self.send_response_only(200)
        for name, value in (
            ("Allow", "POST, OPTIONS"),
            ("Content-Type", "application/json"),
            ("Access-Control-Allow-Origin", "*"),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The node logs requests elsewhere, if at all."""


# Files with all defaults ------------------------------------------------------------------------------------

_BANNER = """\
# This is an example configuration file for Nano. Visit \
https://docs.nano.org/running-a-node/configuration/ for more information.
#
# Fields may need to be defined in the context of a [category] above them.
# The desired configuration changes should be placed in config-{kind}.toml in the node data path.
# To change a value from its default, uncomment (erasing #) the corresponding field.
# It is not recommended to uncomment every field, as the default value for important fields may change in \
the future. Only change what you need.
# Additional information for notable configuration options is available in \
https://docs.nano.org/running-a-node/configuration/#notable-configuration-options
"""

_Fields: TypeAlias = dict[str, tuple[str, str]]
"""Each key with its default, and what is said of it."""

_NODE: dict[str, _Fields] = {
    "node": {
        "enable_voting": (
            "false",
            "Enable or disable voting. Enabling this option requires additional system resources, "
            "namely increased CPU, bandwidth and disk usage.\ntype:bool",
        ),
        "peering_port": ("7075", "Node peering port.\ntype:uint16"),
    },
    "node.websocket": {
        "address": ('"::1"', "WebSocket server bind address.\ntype:string,ip"),
        "enable": ("false", "Enable or disable WebSocket server.\ntype:bool"),
        "port": ("7078", "WebSocket server listening port.\ntype:uint16"),
    },
    "rpc": {
        "enable": ("false", "Enable or disable RPC\ntype:bool"),
        "enable_sign_hash": ("false", "Allow or disallow signing of hashes.\ntype:bool"),
    },
    "rpc.child_process": {
        "enable": (
            "false",
            "Enable or disable RPC child process. If false, an in-process RPC server is used.\ntype:bool",
        ),
    },
}
"""A few of its many tables and keys."""

_RPC: dict[str, _Fields] = {
    "": {
        "address": ('"::1"', "Bind address for the RPC server.\ntype:string,ip"),
        "enable_control": (
            "false",
            "Enable or disable control-level requests.\nWARNING: Enabling this gives anyone with RPC access "
            "the ability to stop the node and access wallet funds.\ntype:bool",
        ),
        "max_json_depth": ("20", "Maximum number of levels in JSON requests.\ntype:uint8"),
        "max_request_size": ("33554432", "Maximum number of bytes allowed in request bodies.\ntype:uint64"),
        # Of the developers' network, whatever network it is; when it is left out it is 7076.
        "port": ("45000", "Listening port for the RPC server.\ntype:uint16"),
    },
    "logging": {"log_rpc": ("true", "Whether to log RPC calls.\ntype:bool")},
    "process": {
        "io_threads": ("4", "Number of threads used to serve IO.\ntype:uint32"),
        "ipc_address": ('"::1"', "Address of IPC server.\ntype:string,ip"),
        "ipc_port": ("46000", "Listening port of IPC server.\ntype:uint16"),
        "num_ipc_connections": ("1", "Number of IPC connections to establish.\ntype:uint32"),
    },
}

_TLS: dict[str, _Fields] = {
    "": {
        "client_certs_path": (
            '""',
            "Directory containing optional client certificates.\ntype:string,path",
        ),
        "enable_https": ("false", "Enable or disable https:// support.\ntype:bool"),
        "enable_wss": ("false", "Enable or disable wss:// support.\ntype:bool"),
        "server_cert_path": ('""', "Directory containing certificates.\ntype:string,path"),
        "server_dh_path": ('""', "Path to Diffie-Hellman params file.\ntype:string,path"),
        "server_key_passphrase": ('""', "Server key passphrase.\ntype:string"),
        "server_key_path": ('""', "Path to server key PEM file.\ntype:string,path"),
        "verbose_logging": ("false", "Enable or disable verbose TLS logging.\ntype:bool"),
    },
}

_GENERATED = {"node": _NODE, "rpc": _RPC, "tls": _TLS}


def generated_config(kind: str) -> str:
    """Return what `--generate_config` prints in V25 for "node" (a part of it), "rpc" or "tls"."""
    text = _BANNER.format(kind=kind)
    for table, fields in _GENERATED[kind].items():
        text += f"\n[{table}]\n" if table else ""
        for key, (default, said) in fields.items():
            comment = "".join(f"# {line}\n" for line in said.split("\n"))
            text += f"\n{comment}#{key} = {default}\n"
    return text + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
