"""The questions about who asks an authority elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.host import Host
from wizard.kinds import Text
from wizard.material.subject import Subject, check_subject_field
from wizard.questions import question
from wizard.targets.certificate.base import (
    REQUEST,
    SUBJECT_PAGE,
)
from wizard.targets.certificate.contents import Contents


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Requester(Contents):
    """The fields of the subject beside the Common Name."""

    country: str = question(
        "Country", Text(optional=True), page=SUBJECT_PAGE.key, help="Two capital letters, such as CH."
    )
    state: str = question("State", Text(optional=True), page=SUBJECT_PAGE.key, help="Or province, canton.")
    locality: str = question("Locality", Text(optional=True), page=SUBJECT_PAGE.key, help="The town.")
    organisation: str = question(
        "Organisation", Text(optional=True), page=SUBJECT_PAGE.key, help="Its full legal name."
    )
    unit: str = question("Unit", Text(optional=True), page=SUBJECT_PAGE.key, help="Department, if any.")
    email: str = question(
        "E-mail", Text(optional=True), page=SUBJECT_PAGE.key, help="Of whoever is in charge; seldom needed."
    )

    def _applies_subject(self, host: Host) -> bool:
        return self.source == REQUEST

    applies_country = applies_state = applies_locality = _applies_subject
    applies_organisation = applies_unit = applies_email = _applies_subject

    def check_country(self, host: Host, value: str) -> str | None:
        return check_subject_field("country", value)

    def check_state(self, host: Host, value: str) -> str | None:
        return check_subject_field("state", value)

    def check_locality(self, host: Host, value: str) -> str | None:
        return check_subject_field("locality", value)

    def check_organisation(self, host: Host, value: str) -> str | None:
        return check_subject_field("organisation", value)

    def check_unit(self, host: Host, value: str) -> str | None:
        return check_subject_field("unit", value)

    def check_email(self, host: Host, value: str) -> str | None:
        return check_subject_field("email", value)

    @property
    def subject(self) -> Subject:
        """Who asks for the certificate."""
        return Subject(
            self.common_name,
            organisation=self.organisation,
            unit=self.unit,
            locality=self.locality,
            state=self.state,
            country=self.country,
            email=self.email,
        )
