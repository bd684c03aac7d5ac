"""What an nginx with many servers costs: reading it, each keystroke, the plan, the preview, memory.

`python -m tests.bench.bench_nginx` prints a row for each number of servers, all in one file and each in
a file of its own; every row is measured in a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from tests.peers.nginx_host import NginxHost, debians
from wizard import preview, review
from wizard.kinds import Raw
from wizard.sheet import fill_in
from wizard.targets.nginx import Nginx

T = TypeVar("T")

NUMBERS = (500, 1_000, 2_000, 5_000)
IN_ONE, IN_MANY = "in one file", "a file each"
KEYSTROKES = 5

_SERVER = """\
server {{
    listen 127.0.0.1:{port};
    server_name site{number}.example.org www.site{number}.example.org;
    access_log off;
    root /var/www/site{number};
    location / {{
        proxy_pass http://127.0.0.1:9000;
        proxy_set_header Host $host;
    }}
    location /static/ {{
        expires 1d;
        add_header Cache-Control public;
    }}
}}
"""


def furnish(folder: Path, number: int, where: str) -> NginxHost:
    """An nginx with so many servers."""
    servers = [_SERVER.format(port=18080, number=each) for each in range(number)]
    names = "    server_names_hash_max_size 65536;\n    server_names_hash_bucket_size 128;\n"
    if where == IN_ONE:
        return NginxHost(folder, debians(), names + "".join(servers))
    files = {f"conf.d/{each:05}.conf": text for each, text in enumerate(servers)}
    return NginxHost(folder, debians(), f"{names}    include conf.d/*.conf;\n", files)


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Milliseconds that a call takes, and what it returns."""
    begun = time.perf_counter()
    result = call()
    return (time.perf_counter() - begun) * 1000, result


def measure(number: int, where: str) -> None:
    """Print one row."""
    with TemporaryDirectory() as name:
        box = furnish(Path(name) / "nginx", number, where)
        host = box.host()
        given: dict[str, Raw] = {
            "config": str(box.config),
            "site": f"site{number // 2}.example.org",
            "https_port": 18443,
            "source": "self-signed",
        }
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        first, sheet = timed(lambda: fill_in(Nginx, given, host))
        assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
        keys = median(timed(lambda: fill_in(Nginx, given, host))[0] for _ in range(KEYSTROKES))
        answers = sheet.answers
        nginx_alone, _ = timed(
            lambda: subprocess.run(answers.nginx(host).test, capture_output=True, check=True)
        )
        planned, plan = timed(lambda: review.prepared(answers, host))
        shown, _ = timed(lambda: preview.text(plan))
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        times = "".join(f"{each:>10.0f}" for each in (first, keys, planned, nginx_alone, shown, memory))
        print(f"{number:>6} {where:<12}{times}", flush=True)


def main() -> None:
    """Print the table."""
    columns = ("first", "key", "plan", "nginx -t", "preview", "MB")
    print("An nginx with many servers, milliseconds; `nginx -t` is part of the plan")
    print(f"{'servers':<19}{''.join(f'{column:>10}' for column in columns)}", flush=True)
    for where in (IN_ONE, IN_MANY):
        for number in NUMBERS:
            command = [sys.executable, "-m", "tests.bench.bench_nginx", str(number), where]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    measure(int(sys.argv[1]), sys.argv[2]) if sys.argv[1:] else main()
