"""Keys, certificates and Diffie-Hellman parameters: parts that return bytes and know no target."""


class MaterialError(ValueError):
    """Input that cannot be used; the message is a sentence for the person who gave it."""
