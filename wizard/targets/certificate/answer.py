"""The question for the answer of an authority elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from wizard.host import Host
from wizard.kinds import (
    Delivered,
    Delivery,
)
from wizard.questions import question
from wizard.sources.request import Request
from wizard.targets.certificate.authority import OwnAuthority
from wizard.targets.certificate.base import (
    ANSWER_PAGE,
    REQUEST,
)


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Answer(OwnAuthority):
    """What has been delivered."""

    delivered: Delivery = question(
        "Certificate",
        Delivered(),
        page=ANSWER_PAGE.key,
        help="Files, with commas; or paste the text. Empty: it has not come yet.",
        more="All that the authority sent, in any order and form: certificate, intermediates, root; PEM, DER "
        "or PKCS#7. What does not belong to the key is left out.",
        once=True,
    )

    def applies_delivered(self, host: Host) -> bool:
        return self.source == REQUEST and Request.beside(self.pair(host)).waits

    def check_delivered(self, host: Host, value: Delivery) -> str | None:
        if not value:
            return None
        from wizard.sources import request

        waiting = Request.beside(self.pair(host))
        request.examined(value, request.waiting_key(waiting), self.wanted(host), datetime.now(UTC))
        return None
