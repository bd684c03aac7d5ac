"""The files that the runs in force have written certificates to, and what stands there now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from cryptography.x509 import Certificate

from wizard.journal import Run, Status, Step
from wizard.material import MaterialError
from wizard.material.certificates import read_certificates_pem
from wizard.material.chains import is_authority
from wizard.small_files import read_small

AGAIN = "or secure the service again with tls-wizard."


@dataclass(frozen=True, slots=True)
class Place:
    """A file that certificates were written to."""

    path: Path
    run: Run
    """The newest that wrote it."""
    certificates: tuple[Certificate, ...] = ()
    problem: str = ""
    """Why there are none: a sentence or two."""

    @property
    def leaf(self) -> Certificate:
        """The certificate that the file is about, wherever it stands in its chain."""
        return next((one for one in self.certificates if not is_authority(one)), self.certificates[0])


def written(runs: Iterable[Run]) -> dict[Path, tuple[Run, Step]]:
    """Every file that runs in force have written and no later one removed; `runs` stand oldest first."""
    found: dict[Path, tuple[Run, Step]] = {}
    for run in runs:
        if run.status is not Status.APPLIED or run.undoes:
            continue
        for step in run.steps:
            found.pop(step.path, None)
            if step.after is not None and step.kind == "file":
                found[step.path] = run, step
    return found


def places(files: Mapping[Path, tuple[Run, Step]]) -> list[Place]:
    """Those of the files that hold certificates or ought to."""
    return [place for run, step in files.values() if not step.secret and (place := _look(run, step))]


def _look(run: Run, step: Step) -> Place | None:
    try:
        content = read_small(step.path)
        if b"-----BEGIN CERTIFICATE-----" in content:
            return Place(step.path, run, read_certificates_pem(content))
        problem = f"There is no certificate in it any more. Put it back from a backup, {AGAIN}"
    except MaterialError as error:
        problem = str(error)
    except (FileNotFoundError, NotADirectoryError):
        problem = f"The file is gone. Put it back from a backup, {AGAIN}"
    except OSError as error:
        problem = unreadable("The file", step.path, error)
    return Place(step.path, run, problem=problem) if _is_for_certificates(step) else None


def _is_for_certificates(step: Step) -> bool:
    """Whether a certificate was written there, by what the run called it."""
    about = step.about.lower()
    return step.path.suffix in (".crt", ".pem") and ("certificate" in about or "authority" in about)


def unreadable(what: str, path: Path, error: OSError) -> str:
    """Say that a file cannot be read, and what to do."""
    if isinstance(error, PermissionError):
        return f"{what} cannot be read by this account. See who may: sudo ls -ld {quote(str(path))}."
    return f"{what} cannot be read: {error.strerror}. Look at what stands there, {AGAIN}"
