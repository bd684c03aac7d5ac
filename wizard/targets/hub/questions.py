"""What is asked about a Hub whichever API it serves, and what its two targets share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wizard.host import Host
from wizard.kinds import Account, FilePath
from wizard.material.key_types import KeyType
from wizard.plan import Change, Command, File, Warning
from wizard.questions import Page, question
from wizard.rights import cannot_write
from wizard.targets import Found
from wizard.targets.hub import service as hub_service
from wizard.targets.service_files import ServiceFiles

if TYPE_CHECKING:
    from wizard.host import Service
    from wizard.targets.hub.script import StartScript

SERVICE_PAGE = Page("service", "the service")
UNPROTECTED_KEY = (
    "Hub cannot read a protected key and would stop, so its key gets no passphrase; "
    "it is kept from others by its file mode, 0600."
)


HUB_KEY_TYPES = (
    *(KeyType.ECDSA_P256, KeyType.ECDSA_P384),
    *(KeyType.RSA_2048, KeyType.RSA_3072, KeyType.RSA_4096),
)
"""BoringSSL, which Hub is built with, takes no Ed25519 certificates as it comes."""


DEFAULT_ADDRESS = "127.0.0.1:50051"
"""Where Hub listens unless its start script says otherwise."""


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class HubTarget(ServiceFiles):
    """The questions about the service, and the plan's part that edits its start script."""

    service_name: ClassVar = "Hub"
    restarted: ClassVar = "Hub is restarted"
    api: ClassVar[str]
    """The value of --serverType."""

    start_script: Path = question(
        "Start script",
        FilePath(),
        page=SERVICE_PAGE.key,
        help="The script that starts Hub; its flags are set here.",
        more="Usually start.sh in Hub's folder. Only Hub's flags in it change, and the review shows how.",
    )
    directory: Path = question(
        "Folder for files", FilePath(), page=SERVICE_PAGE.key, help="Certificates and keys are written here."
    )
    account: str = question(
        "Hub runs as",
        Account(),
        page=SERVICE_PAGE.key,
        help="The account that owns the files and so can read the key.",
    )

    @classmethod
    def find(cls, host: Host) -> Found:
        return hub_service.found(host, cls.api)

    def running(self, host: Host) -> Service | None:
        return hub_service.running(host, self.start_script)

    def restart(self, host: Host) -> Command | None:
        return hub_service.restart(host, self.start_script)

    @property
    def belongings(self) -> Path:
        return self.start_script

    @abstractmethod
    def flags(self) -> dict[str, str]:
        """What the start script has to pass to Hub."""

    @property
    def flags_to_remove(self) -> tuple[str, ...]:
        """Flags of the other API, when the script is switched to this one."""
        return ()

    # Rules --------------------------------------------------------------------------------------------

    def default_start_script(self, host: Host) -> Path | None:
        return hub_service.start_script(host, self.key, self.api)

    def check_start_script(self, host: Host, value: Path) -> str | None:
        if value.is_dir():
            return f"This is a folder: {value / 'start.sh'}?"
        if not value.exists():
            return "There is no such file. Give the script that starts Hub, usually start.sh."
        if not value.is_file():
            return "This is a device or a pipe, not a script."
        if problem := cannot_write(value, host, self.key):
            return problem
        try:
            hub_service.read(value)
        except OSError as error:
            return f"It cannot be read: {error.strerror}."
        return None

    def caution_start_script(self, host: Host, value: Path) -> str | None:
        repairs = hub_service.read(value).repairs
        return f"Line {repairs[0].line}: {repairs[0].sentence}" if repairs else None

    @abstractmethod
    def default_address(self, host: Host) -> str:
        """Where clients on this host reach Hub, by its start script: HOST:PORT."""

    def caution_address(self, host: Host, value: str) -> str | None:
        expected = self.default_address(host)
        return None if value == expected else f"By its start script Hub listens on {expected}."

    def starts_other_api(self) -> bool:
        """Whether the script starts the other API, so that switching has to be agreed to."""
        return hub_service.read(self.start_script).repaired_server_type != self.api

    # Parts of the plan --------------------------------------------------------------------------------

    def edit(self, script: StartScript) -> Iterator[Change]:
        """The start script with the flags set; nothing when they are."""
        from wizard.targets.hub import script as hub_script

        after = hub_script.set_flags(script, self.flags(), self.flags_to_remove)
        if after != script.data:
            yield File(
                path=script.path,
                before=script.data,
                after=after,
                hidden=script.secrets,
                about="Hub's flags",
            )

    def script_warnings(self, script: StartScript, host: Host) -> Iterator[Warning]:
        """What is known of the script, and of the answers."""
        for repair in script.repairs:
            yield Warning(repair.sentence, script.path, repair.line)
        if script.server_type != script.repaired_server_type:
            yield Warning(
                f"Because of this, --serverType {script.repaired_server_type} was not in force: Hub has been "
                f"running its {hub_service.api_name(script.server_type)} API. After the repair and a restart "
                f"it runs {hub_service.api_name(script.repaired_server_type)}.",
                script.path,
            )
        yield from script.warnings
        for name, value in self.flags().items():
            setting = script.settings.get(name)
            if setting is not None and setting.value is None:
                text = f"--{name} was only known at run time. From now on it is always {value}."
                yield Warning(text, script.path, setting.line)
        for caution in self.cautions(host):
            if not script.repairs or not caution.startswith("Line "):
                yield Warning(caution)

    @property
    def validations(self) -> tuple[Command, ...]:
        """What is run after writing."""
        return (Command(("bash", "-n", str(self.start_script)), "the script is still a script"),)
