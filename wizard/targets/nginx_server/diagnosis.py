"""What `nginx -t` says, in plain words.

The texts are those of nginx 1.22 and 1.31 with OpenSSL 3, read off both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from wizard.plan import Command
from wizard.targets.nginx_server.install import Nginx

_PLACE = re.compile(r" in (?P<file>/.*?):(?P<line>\d+)$")
_LEVEL = re.compile(
    r"^(?:nginx:|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>\w+)\] (?:\d+#\d+: (?:\*\d+ )?)?"
)
"""How a line begins, also where nginx takes the terminal for its error log."""
_FAILURES = ("emerg", "alert", "crit", "error")
_CONFLICT = re.compile(r'conflicting server name "(?P<name>[^"]*)" on (?P<socket>\S+), ignored')

_WORDS = (
    # Longer ones first, where one is part of another.
    ("key values mismatch", "The key is not that of the certificate, or the file does not begin with the "
     "server's own certificate: it comes first, then the intermediates."),
    ("bad end line", "Two certificates stand on one line: a line break is missing between them."),
    ("no start line", "The file holds no certificate or key in PEM; it may be DER, PKCS#7 or empty."),
    ("DECODER routines::unsupported", "That is no private key, or one of an unknown kind."),
    ("bad decrypt", "The passphrase of the key is wrong."),
    ("problems getting password", "The key has a passphrase, and ssl_password_file does not name it."),
    ("bad password read", "The key has a passphrase, and ssl_password_file does not name it."),
    ("ee key too small", "The key is too short: RSA needs at least 2048 bits."),
    ("ca md too weak", "The certificate is signed with SHA-1 or weaker, which OpenSSL refuses."),
    ('no "ssl_certificate" is defined', "A server listens with ssl and has no certificate."),
    ("for ssl_verify_client", "Clients are to be checked, but by no authority."),
    ("no cipher match", "None of the ciphers is known to OpenSSL."),
    ("is not terminated by", 'A ";" is missing before this line.'),
    ("unexpected end of file", 'A "}" or ";" is missing.'),
    ('unexpected "}"', 'There is a "}" too much, or a ";" is missing before it.'),
    ("a duplicate default server", "Two servers are the default server of one address and port."),
    ("a duplicate listen", "A server listens twice on the same address and port."),
    ("conflicts with already declared size", "A cache of that name has another size elsewhere."),
    ("host not found in upstream", "The name of the service behind it cannot be resolved."),
    ("host not found in", "A name in listen cannot be resolved."),
    ('unknown directive "http2"', "This nginx is older than 1.25.1, which brought the directive http2."),
    ('unknown directive "ssl"', "The directive ssl was taken away in 1.25.1: write ssl behind listen."),
    ("unknown directive", "This nginx does not know the directive: a typing error, or a module is missing."),
    ("directive is duplicate", "The directive stands twice in one block."),
    ("Address already in use", "Another program has the port. Or nginx itself has had it on other addresses "
     "since before: a reload does not let go of them, so stop nginx and start it again."),
    ("invalid value", "The value is none that this directive takes."),
    ("Permission denied", "nginx may not read it. Check owner and mode, and run the wizard as root."),
    ("No such file", "The file is not there."),
)  # fmt: skip


def command(nginx: Nginx, known: frozenset[str] = frozenset()) -> Command:
    """The check of the configuration; `known` are warnings that it gave before, which are no news."""
    return Command(nginx.test, "nginx takes the configuration", judge(known))


def judge(known: frozenset[str]) -> Callable[[int, str], str]:
    """Tell from the status and the output why the check failed; empty when it has not.

    A server that is left out because another has its name is a failure too, though nginx takes it for none.
    """

    def judged(status: int, output: str) -> str:
        found = [line for line in explained(output) if status or line not in known]
        if status:
            return "\n".join(found) or "nginx says no more."
        return "\n".join(line for line in conflicts(output) if line not in known)

    return judged


def conflicts(output: str) -> frozenset[str]:
    """The servers that are left out since another has their name."""
    return frozenset(
        f'Two servers on {found["socket"]} have the name "{found["name"]}": nginx leaves one out.'
        for found in _CONFLICT.finditer(output)
    )


def explained(output: str) -> tuple[str, ...]:
    """Each failure with its place, in plain words, and what nginx said."""
    return tuple(dict.fromkeys(_explained(output)))


def in_plain_words(said: str) -> str:
    """What a failure means; empty where nginx's own words have to do."""
    return next((words for text, words in _WORDS if text in said), "")


def _explained(output: str) -> Iterator[str]:
    for line in output.splitlines():
        level = _LEVEL.match(line)
        if level is None or level["level"] not in _FAILURES:
            continue
        said = line[level.end() :]
        place = _PLACE.search(said)
        where = f"{place['file']}, line {place['line']}: " if place else ""
        words = in_plain_words(said)
        yield f"{where}{words}\n  nginx says: {said}" if words else f"{where}{said}"
