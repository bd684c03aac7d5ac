"""Certificates of an authority elsewhere, and nginx servers that present them in every way that is tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.nginx import nginx
from tests.peers.tls import self_signed
from tests.sources.elsewhere import Elsewhere
from wizard.address import Address
from wizard.connecting.call import Call, Files
from wizard.connecting.modes import Mode
from wizard.connecting.trial import checks
from wizard.probe import Request
from wizard.proof import Proof, Result, prove

MUTUAL = ("ssl_verify_client on;", "ssl_verify_depth 3;")


@dataclass(frozen=True)
class Parties:
    """Files, PEM, and the ports of servers that present `server`."""

    root: Path
    intermediate: Path
    bundle: Path
    """The intermediate, then the root."""
    server: Path
    client: Path
    """With its intermediate behind it."""
    client_key: Path
    rogue: Path
    """A client of another authority of the same name, with its intermediate."""
    rogue_key: Path
    server_as_client: Path
    """A certificate for servers only, with its intermediate."""
    server_as_client_key: Path
    signed_itself: Path
    whole: int
    """Sends its chain; asks for no client certificate."""
    alone: int
    """Sends its own certificate only."""
    itself: int
    """Serves the one that signed itself."""
    mutual: int
    """Wants a client certificate; TLS 1.3 and 1.2."""
    mutual_1_2: int
    """The same with TLS 1.2 only."""
    optional: int
    """Asks for a client certificate, and serves whoever has none."""


@contextmanager
def parties(folder: Path) -> Iterator[Parties]:
    """Everything, the servers running until the block ends."""
    ours = Elsewhere(folder / "ours")
    other = Elsewhere(folder / "other", "Elsewhere")
    server, key = ours.pair("server")
    client, client_key = ours.pair("client", "client")
    rogue, rogue_key = other.pair("client", "client")
    chain = ours.joined("chain.pem", server, ours.intermediate)
    bundle = ours.joined("bundle.pem", ours.intermediate, ours.root)
    signed_itself, its_key = ours.folder / "itself.pem", ours.folder / "itself.key"
    for path, content in zip((signed_itself, its_key), self_signed("127.0.0.1"), strict=True):
        path.write_bytes(content)
    mutual = (f"ssl_client_certificate {bundle};", *MUTUAL)
    modern = "ssl_protocols TLSv1.2 TLSv1.3;"
    optional = (f"ssl_client_certificate {bundle};", "ssl_verify_client optional;", "ssl_verify_depth 3;")
    with ExitStack() as stack:

        def serving(name: str, certificate: Path, key: Path, *settings: str) -> int:
            return stack.enter_context(nginx(folder / name, certificate, key, *settings))

        yield Parties(
            root=ours.root,
            intermediate=ours.intermediate,
            bundle=bundle,
            server=server,
            client=ours.joined("client-chain.pem", client, ours.intermediate),
            client_key=client_key,
            rogue=other.joined("client-chain.pem", rogue, other.intermediate),
            rogue_key=rogue_key,
            server_as_client=chain,
            server_as_client_key=key,
            signed_itself=signed_itself,
            whole=serving("whole", chain, key, modern),
            alone=serving("alone", server, key, modern),
            itself=serving("itself", signed_itself, its_key, modern),
            mutual=serving("mutual", chain, key, modern, *mutual),
            mutual_1_2=serving("mutual-1.2", chain, key, "ssl_protocols TLSv1.2;", *mutual),
            optional=serving("optional", chain, key, modern, *optional),
        )


def call(
    port: int,
    mode: Mode,
    ca: Path | None = None,
    *client: Path,
    host: str = "127.0.0.1",
) -> Call:
    """A call of a server on loopback; `client` is a certificate and its key."""
    address = Address.parse(f"https://{host}:{port}/")
    return Call(address, address.endpoint, Files(ca, *client), mode, Request())


def proven(one: Call) -> Proof:
    return prove(checks(one))


def result(proof: Proof, title: str) -> Result:
    """The result whose title begins so."""
    return next(one for one in proof.results if one.title.startswith(title))
