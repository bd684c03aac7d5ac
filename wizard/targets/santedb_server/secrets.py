"""The secret values in a configuration, which no preview shows."""

from __future__ import annotations

from wizard.formats.xml import Document


def secrets_in(document: Document) -> tuple[bytes, ...]:
    """The values as they stand there: passwords of connections and the like."""
    found = []
    for element in document.elements:
        for attribute in document.tag(element).attributes:
            value = attribute.text(document.data)
            if _is_secret(attribute.name):
                found.append(value)
            for part in value.split(b";"):
                name, equals, secret = part.partition(b"=")
                if equals and _is_secret(name.decode("utf-8", "replace")):
                    found.append(secret.strip())
        if _is_secret(element.local):
            found.append(document.text(element).encode())
    return tuple(dict.fromkeys(filter(None, found)))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("pass", "pwd", "secret", "hmac", "token"))
