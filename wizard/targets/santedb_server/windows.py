"""What is carried over to Windows: certificate and key in one file, edited configuration, and a script."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard.plan import Change, File, Owner
from wizard.secret import Secret
from wizard.sources.pair import contents, write
from wizard.targets.santedb_server import windows_script
from wizard.targets.santedb_server.presented import Presented
from wizard.targets.santedb_server.products import Product
from wizard.targets.santedb_server.secrets import secrets_in
from wizard.targets.santedb_server.switch import Switch

BUNDLE, PASSWORD, SCRIPT = "santedb.p12", "santedb.p12.password", "secure-santedb.ps1"


@dataclass(frozen=True)
class Parcel:
    """The files for one machine, in one folder here."""

    folder: Path
    product: Product
    switch: Switch
    account: str = ""
    """The account that the service runs as there; empty: the script looks it up."""

    @property
    def bundle(self) -> Path:
        return self.folder / BUNDLE

    @property
    def password(self) -> Path:
        return self.folder / PASSWORD

    @property
    def script(self) -> Path:
        return self.folder / SCRIPT

    @property
    def config(self) -> Path:
        """The edited copy of the file with the endpoints."""
        return self.folder / self.switch.found.file.path.name

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return self.bundle, self.password, self.config, self.script

    def changes(self, what: Presented, owner: Owner | None) -> Iterator[Change]:
        """What brings the folder to hold this. Raises OSError and Refusal."""
        yield from self._bundle(what, owner)
        about = "edited configuration, to be carried over"
        for change in write(self.config, self.edited(what), owner, about):
            yield File(
                path=change.path,
                before=change.before,
                after=change.after,
                mode=0o600,
                owner=owner,
                hidden=secrets_in(self.switch.found.file.document),
                about=about,
            )
        about = "script to run on Windows"
        said = script(self, what)
        yield from write(
            self.script, said, owner, about, described=tuple(said.decode("utf-8-sig").splitlines())
        )

    def edited(self, what: Presented) -> bytes:
        """The configuration as it should be there."""
        return self.switch.edited(what.thumbprint)

    def _bundle(self, what: Presented, owner: Owner | None) -> Iterator[Change]:
        from wizard.material.bundles import pkcs12_bundle

        if self.opens(what):
            return
        # Windows before 10 (1709) and Server 2019 reads nothing but 3DES; the password has 128 bits.
        made = pkcs12_bundle(what.key, what.chain, legacy=True)
        yield from write(self.bundle, made.data, owner, "certificate and key, PKCS#12", secret=True)
        line = f"{made.password.reveal()}\n".encode()
        about = f"password of {BUNDLE}; carry it over on another way"
        yield from write(self.password, line, owner, about, secret=True)

    def opens(self, what: Presented) -> bool:
        """Whether the bundle there opens with the password beside it and holds this certificate."""
        from wizard.material import MaterialError
        from wizard.material.bundles import opens
        from wizard.material.description import tolerance

        data, said = contents(self.bundle), contents(self.password)
        if data is None or said is None:
            return False
        try:
            with tolerance():
                return opens(data, Secret(said.decode().strip()), what.leaf)
        except (MaterialError, UnicodeDecodeError):
            return False


# The script -------------------------------------------------------------------------------------------------


def script(parcel: Parcel, what: Presented) -> bytes:
    """The script, each line of which says before it what it does; as Windows PowerShell 5 reads it."""
    lines = windows_script.TEXT
    ports = parcel.switch.ports_afterwards
    values = {
        "@PRODUCT@": parcel.product.label,
        "@PROGRAM@": parcel.product.program,
        "@CONFIG@": _there(parcel),
        "@EDITED@": _quoted(parcel.config.name),
        "@BEFORE@": hashlib.sha256(parcel.switch.found.file.document.data).hexdigest().upper(),
        "@AFTER@": hashlib.sha256(parcel.edited(what)).hexdigest().upper(),
        "@THUMBPRINT@": what.thumbprint,
        "@APPID@": parcel.product.application_id,
        "@PORTS@": ", ".join(map(str, ports)),
        "@URLS@": ", ".join(_quoted(url) for url in _reservations(parcel.switch)),
        "@ACCOUNT@": _quoted(parcel.account),
        "@BUNDLE@": BUNDLE,
        "@PASSWORD@": PASSWORD,
    }
    for name, value in values.items():
        lines = lines.replace(name, value)
    return lines.replace("\n", "\r\n").encode("utf-8-sig")


def _reservations(switch: Switch) -> Iterable[str]:
    """What http.sys knows an endpoint's port by: https, the host as SanteDB gives it, and a slash."""
    addresses = [address for _, address in switch.endpoints]
    hosts = (("+" if one.answers_every_name else one.host, one.port) for one in addresses)
    return dict.fromkeys(f"https://{host}:{port}/" for host, port in hosts)


def _there(parcel: Parcel) -> str:
    """The file on Windows, from the program's folder on, as a PowerShell expression."""
    main, path = parcel.switch.found.main, parcel.switch.found.file.path
    inner = path.relative_to(main.parent) if path.is_relative_to(main.parent) else Path(path.name)
    if path == main:
        inner = parcel.product.config(Path())
    return _quoted(str(inner).replace("/", "\\"))


def _quoted(text: str) -> str:
    """A text in single quotes, of which PowerShell takes the typographic ones too."""
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
