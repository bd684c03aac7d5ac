"""The edits of SanteDB's configuration, by the format alone: what is switched, and what must not be."""

from __future__ import annotations

from wizard.formats.xml import Add, Document, Edit, Element, SetAttribute, SetText

SANTEDB = "http://santedb.org/"
BASE = "https://api.example.org:8443"


def endpoints(document: Document) -> list[Element]:
    """The endpoints in services of a REST section."""
    return [
        element
        for element in document.elements
        if element.local == "endpoint"
        and element.name[0].startswith(SANTEDB)
        and (service := element.parent) is not None
        and service.local == "service"
        and (section := service.parent) is not None
        and any(
            value.endswith(("RestConfigurationSection", "AgsConfigurationSection"))
            for value in types(section)
        )
    ]


def types(section: Element) -> list[str]:
    return [value for (namespace, name), value in section.attributes.items() if namespace and name == "type"]


def switched(document: Document) -> list[Edit]:
    """All endpoints on https, as far as they have an address."""
    return [
        SetAttribute(element, "address", address.replace("http://", "https://", 1))
        for element in endpoints(document)
        if (address := element.get("address")) is not None
    ]


def with_base(document: Document) -> list[Edit]:
    """The same, and the base address in the section of the first one."""
    service = endpoints(document)[0].parent
    assert service is not None and service.parent is not None
    there = next(document.children(service.parent, "baseAddress"), None)
    base: Edit = SetText(there, BASE) if there else Add(service.parent, "baseAddress", BASE)
    return [*switched(document), base]
