"""Keys, certificates and Diffie-Hellman parameters: parts that return bytes and know no target."""
