"""What is the same for every service that runs on this host: the folder of its files, and its account."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wizard.plan import Change, Directory, Owner, Plan, Warning
from wizard.rights import account_owner, cannot_write
from wizard.sources.clients import Recipe
from wizard.targets import Target
from wizard.targets.server_certificate import ServerCertificate

if TYPE_CHECKING:
    from wizard.host import Host, Service
    from wizard.sources.pair import Issue


class ServiceFiles(ServerCertificate, Target):
    """The rules of two questions that each target declares among its own: `directory` and `account`."""

    service_name: ClassVar[str]
    """As a sentence begins with it: "Hub", "The node"."""
    restarted: ClassVar[str]
    """What makes it read its files anew, as a sentence goes on with it: "Hub is restarted"."""

    if TYPE_CHECKING:
        directory: Path

        @property
        def account(self) -> str:
            """Whom the service runs as."""

        @property
        def address(self) -> str:
            """Where the proof connects to, HOST:PORT."""

    @property
    def what(self) -> str:
        """Which service it is, in the titles of runs."""
        return f"{self.title}, at {self.address}"

    @abstractmethod
    def files(self, directory: Path) -> tuple[Path, ...]:
        """What is written for the service itself in this folder."""

    @abstractmethod
    def running(self, host: Host) -> Service | None:
        """The service, when it runs and can be seen."""

    @property
    @abstractmethod
    def belongings(self) -> Path:
        """What belongs to the service's account, where it does not run."""

    def check_directory(self, host: Host, value: Path) -> str | None:
        if os.path.lexists(value) and not value.is_dir():
            return "This is a file; give a folder."
        for path in self.files(value):
            if path.is_symlink():
                return (
                    f"{path} is a symbolic link: what it leads to would be overwritten. Give another folder."
                )
            if os.path.lexists(path) and not path.is_file():
                return f"{path} is in the way: it is not a file."
            if problem := cannot_write(path, host, self.key):
                return problem
        return None

    def caution_directory(self, host: Host, value: Path) -> str | None:
        return None if value.exists() else f"{value} does not exist yet; it will be made."

    def applies_account(self, host: Host) -> bool:
        return host.root

    def default_account(self, host: Host) -> str | None:
        service = self.running(host)
        try:
            return service.user if service else self.belongings.owner()
        except KeyError:  # its account has been removed
            return None

    def caution_account(self, host: Host, value: str) -> str | None:
        service = self.running(host)
        if service is None or service.user == value:
            return None
        return (
            f"{self.service_name} runs as {service.user} now (pid {service.pid}); "
            f"the files will belong to {value}."
        )

    def owner(self, host: Host) -> Owner | None:
        """Whose the files are; None: they stay with the running user, who cannot give them away."""
        return account_owner(self.account) if host.root else None

    def client_recipe(self, host: Host) -> Recipe:
        """What a client's certificate says: what the server's does, but for the names."""
        return Recipe(replace(self.wanted(host), names=(), common_name=""), self.reissue)

    def request(self, issue: Issue, owner: Owner | None, untouched: str, *before: Change) -> Plan:
        """What is done before the authority elsewhere has answered; `untouched` begins a sentence.

        `before` is what the pair needs.
        """
        return Plan(
            target=self.key,
            title=f"Request a certificate for {self.what}",
            changes=(*folders(self.directory, owner), *before, *issue.changes),
            kept=issue.kept,
            warnings=(
                *issue.warnings,
                Warning(f"{untouched} stay as they are until the certificate has come."),
            ),
            advice=issue.advice,
            awaits=issue.awaits,
        )

    def authority_folders(self, owner: Owner | None) -> Iterator[Change]:
        """The authority's own folder below that of the files, where it is missing."""
        if not self.uses_authority or self.authority_folder.path == self.directory:
            return
        if not self.authority_folder.path.exists():
            about = "folder of the authority"
            yield Directory(path=self.authority_folder.path, mode=0o700, owner=owner, about=about)


def folders(path: Path, owner: Owner | None) -> Iterator[Change]:
    """The folders that are missing, outermost first."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        yield Directory(path=folder, mode=0o755, owner=owner, about="folder for the files")


def unchanged(paths: Iterable[Path], changes: Iterable[Change]) -> tuple[Path, ...]:
    """Those of the files that stay as they are."""
    changed = {change.path for change in changes}
    return tuple(path for path in paths if path.exists() and path not in changed)
