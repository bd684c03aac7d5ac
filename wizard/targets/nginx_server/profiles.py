"""What TLS a server offers: Mozilla's recommendations, for the nginx that is there.

After mozilla/server-side-tls 6.0 (src/static/guidelines/6.0.json), as its generator writes them for nginx
(src/js/helpers/nginx.js).
"""

from __future__ import annotations

from enum import Enum

from wizard.targets.nginx_server.install import Nginx

_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
HSTS_SECONDS = 63072000
"""Two years."""
TLS_1_2, TLS_1_3 = "TLSv1.2", "TLSv1.3"


class Profile(Enum):
    """The value is the name used in answers files."""

    INTERMEDIATE = "intermediate"
    MODERN = "modern"
    KEEP = "keep"
    """What the server has now, or nginx's own defaults."""

    @property
    def label(self) -> str:
        """The name for people."""
        return {Profile.INTERMEDIATE: "TLS 1.2 and 1.3", Profile.MODERN: "TLS 1.3 only"}.get(self, "as it is")

    @property
    def protocols(self) -> tuple[str, ...]:
        """As nginx names them; nothing for what is kept."""
        return {Profile.INTERMEDIATE: (TLS_1_2, TLS_1_3), Profile.MODERN: (TLS_1_3,)}.get(self, ())


def settings(profile: Profile, nginx: Nginx) -> dict[str, tuple[str, ...]]:
    """The directives with their arguments."""
    if profile is Profile.KEEP:
        return {}
    # Without this OpenSSL the post-quantum group is unknown, and nginx does not start.
    post_quantum = ("X25519MLKEM768",) if nginx.openssl >= (3, 5, 0) else ()
    curves = ":".join((*post_quantum, "X25519", "prime256v1", "secp384r1"))
    found: dict[str, tuple[str, ...]] = {"ssl_protocols": profile.protocols, "ssl_ecdh_curve": (curves,)}
    if TLS_1_2 in profile.protocols:
        found["ssl_ciphers"] = (":".join(_CIPHERS),)
        found["ssl_session_timeout"] = ("1d",)
        # A cache of its own: nginx stops where one name is used with two sizes.
        found["ssl_session_cache"] = ("shared:tls_wizard:10m",)
    found["ssl_prefer_server_ciphers"] = ("off",)
    if nginx.version < (1, 23, 2):  # since then their keys are changed as often as sessions end
        found["ssl_session_tickets"] = ("off",)
    return found
