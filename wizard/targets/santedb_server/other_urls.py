"""URLs elsewhere in the configuration that still say http: the issuer of tokens, the base of FHIR."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wizard.formats import xml
from wizard.plan import Warning
from wizard.targets.santedb_server.config import ConfigFile, Configuration, ours

_ISSUER = "issuerName"


@dataclass(frozen=True)
class OtherUrl:
    """One of them."""

    file: ConfigFile = field(repr=False)
    element: xml.Element = field(repr=False)
    text: str
    is_issuer: bool

    def edit(self, base_url: str) -> xml.Edit:
        """What makes it one of the public URL, with the path and all that follows it."""
        _, slash, path = self.text.partition("://")[2].partition("/")
        url = f"{base_url.rstrip('/')}{slash}{path}"
        if self.is_issuer:
            return xml.SetAttribute(self.element, _ISSUER, url)
        return xml.SetText(self.element, url)

    def warning(self) -> Warning:
        """What to know where it stays."""
        said = f"FHIR tells clients {self.text}; change it, if they are to use https."
        if self.is_issuer:
            said = f"The issuer's name stays {self.text}; tokens are checked by it."
        return Warning(said, self.file.path, self.element.line)


def others(found: Configuration) -> Iterator[OtherUrl]:
    """Those of all files of a configuration."""
    for file in found.files:
        document = file.document
        for section in ours(document, document.root, "section"):
            issuer = section.get(_ISSUER) or ""
            if issuer.startswith("http://"):
                yield OtherUrl(file, section, issuer, is_issuer=True)
            for base in ours(document, section, "base"):
                if document.text(base).startswith("http://"):
                    yield OtherUrl(file, base, document.text(base), is_issuer=False)
