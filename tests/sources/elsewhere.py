"""An authority elsewhere, of a root and an intermediate, run with nothing but the openssl command."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

CONFIGURATION = """\
[req]
distinguished_name = anybody
x509_extensions = root
string_mask = utf8only
[anybody]
[ca]
default_ca = ours
[ours]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 90
policy = any
copy_extensions = copy
email_in_dn = yes
[any]
countryName = optional
stateOrProvinceName = optional
localityName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
emailAddress = optional
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[intermediate]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[as_requested]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:hub.example.org,IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[nameless]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = DNS:client.example.org
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
SUBJECT = "/CN=hub.example.org"


class Elsewhere:
    """A folder in which certificates are signed; `root` and `intermediate` are its own, PEM."""

    def __init__(self, folder: Path, name: str = "Elsewhere") -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        (folder / "openssl.cnf").write_text(CONFIGURATION)
        (folder / "index.txt").touch()
        self.root = folder / "root.pem"
        self.openssl(
            *("req", "-x509", "-config", "openssl.cnf", *P256, "-nodes", "-days", "3650"),
            *("-subj", f"/O={name}/CN={name} Root", "-keyout", "root.key", "-out", "root.pem"),
        )
        request = self.request("intermediate", f"/O={name}/CN={name} Issuing")
        self.intermediate = self.sign(request, "intermediate", by="root")

    def openssl(self, *arguments: str, data: bytes = b"") -> bytes:
        """Run it in the folder; it must be content."""
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, input=data, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def request(self, name: str, subject: str = SUBJECT, kind: tuple[str, ...] = P256) -> Path:
        """Make a key, NAME.key, and a request for it."""
        self.openssl(
            *("req", "-new", "-config", "openssl.cnf", *kind, "-nodes", "-subj", subject),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        return self.folder / f"{name}.csr"

    def sign(
        self,
        request: Path,
        extensions: str = "as_requested",
        *,
        by: str = "intermediate",
        begins: timedelta = timedelta(0),
        days: int = 90,
    ) -> Path:
        """Sign a request with the extensions of a section above; `begins` from now. The answer stands at
        REQUEST.pem in the folder."""
        first = datetime.now(UTC) + begins - timedelta(hours=1)
        self.openssl(
            *("ca", "-config", "openssl.cnf", "-batch", "-notext", "-in", str(request)),
            *("-cert", f"{by}.pem", "-keyfile", f"{by}.key", "-extensions", extensions),
            *("-startdate", f"{first:%Y%m%d%H%M%SZ}", "-enddate", f"{first + timedelta(days):%Y%m%d%H%M%SZ}"),
            *("-out", f"{request.stem}.pem"),
        )
        return self.folder / f"{request.stem}.pem"

    def pair(
        self,
        name: str,
        extensions: str = "server",
        *,
        kind: tuple[str, ...] = P256,
        begins: timedelta = timedelta(0),
        days: int = 90,
    ) -> tuple[Path, Path]:
        """A certificate, alone in its file, and its key."""
        request = self.request(name, kind=kind)
        return self.sign(request, extensions, begins=begins, days=days), self.folder / f"{name}.key"

    def joined(self, name: str, *files: Path) -> Path:
        """Their contents one after the other, in a file of this name."""
        path = self.folder / name
        path.write_bytes(b"".join(file.read_bytes() for file in files))
        return path

    def in_der(self, certificate: Path, name: str) -> Path:
        """A certificate in binary, in a file of this name."""
        self.openssl("x509", "-in", str(certificate), "-outform", "DER", "-out", name)
        return self.folder / name

    def in_pkcs7(self, name: str, *certificates: Path) -> Path:
        """Certificates in PKCS#7, binary, in a file of this name."""
        given = [word for path in certificates for word in ("-certfile", str(path))]
        self.openssl("crl2pkcs7", "-nocrl", *given, "-outform", "DER", "-out", name)
        return self.folder / name

    def encrypted(self, key: Path, name: str, passphrase: str) -> Path:
        """A key under a passphrase, in a file of this name."""
        command = ("pkey", "-in", str(key), "-aes256", "-passout", "stdin", "-out", name)
        self.openssl(*command, data=f"{passphrase}\n".encode())
        return self.folder / name
