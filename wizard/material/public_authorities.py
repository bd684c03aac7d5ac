"""Public authorities, which must never decide who is let in: they issue to everybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509

from wizard.material.certificates import read_certificates_pem, same_key
from wizard.material.chains import is_authority, was_issued
from wizard.material.description import name_words

_MANY = 10
"""Distinct authorities; who runs private ones has a few."""

_LETS_IN = (
    "Everyone who has a certificate from there would be let in. Use an authority of your own for clients."
)

BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Arch, Gentoo
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora, Red Hat
    Path("/etc/ssl/ca-bundle.pem"),  # SUSE
    Path("/etc/ssl/cert.pem"),  # Alpine, BSD, macOS
)
"""What a system trusts, in one file."""

LOCAL = (
    Path("/usr/local/share/ca-certificates"),  # Debian, Alpine
    Path("/etc/pki/ca-trust/source/anchors"),  # Fedora, Red Hat
    Path("/etc/pki/trust/anchors"),  # SUSE
    Path("/etc/ca-certificates/trust-source/anchors"),  # Arch
)
"""Folders of the authorities that an operator has added, which are private ones."""


def public_authorities(
    bundles: Iterable[Path] = BUNDLES, local: Iterable[Path] = LOCAL
) -> tuple[x509.Certificate, ...]:
    """Read the authorities that this system came with; none where it came without.

    Raises OSError when a file cannot be read, MaterialError when one is damaged.
    """
    bundle = next((path for path in bundles if path.is_file()), None)
    if bundle is None:
        return ()
    own = {
        certificate
        for folder in local
        for path in folder.rglob("*")
        if path.suffix in (".crt", ".pem") and path.is_file()
        for certificate in read_certificates_pem(path.read_bytes())
    }
    return tuple(one for one in read_certificates_pem(bundle.read_bytes()) if one not in own)


def why_public(certificates: Sequence[x509.Certificate], public: Sequence[x509.Certificate]) -> str | None:
    """Return a sentence when one of these, as the root of client certificates, would let strangers in.

    `public` are those of `public_authorities`. None: nothing speaks against them.
    """
    authorities = {one.subject for one in certificates if is_authority(one)}
    if len(authorities) > _MANY:
        return f"The file holds {len(authorities)} authorities, as bundles of public ones do. {_LETS_IN}"
    for certificate in certificates:
        for root in public:
            if _is(certificate, root):
                return (
                    f"{name_words(root.subject)} is a public authority that this system came with. {_LETS_IN}"
                )
            if certificate.issuer == root.subject and was_issued(certificate, by=root):
                return (
                    f"{name_words(certificate.subject)} is issued by {name_words(root.subject)}, "
                    f"a public authority that this system came with. {_LETS_IN}"
                )
    return None


def _is(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    """By name and key, since roots are renewed with the same."""
    return certificate.subject == root.subject and same_key(certificate.public_key(), root.public_key())
