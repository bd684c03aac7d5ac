"""Print which implementation accepts which of our certificates: `python -m tests.material.table`."""

from __future__ import annotations

from collections.abc import Iterator
from shutil import which

from tests.material.samples import HOST, NAMES, Sample, key_of, samples
from tests.material.verifiers import REQUEST_READERS, VERIFIERS, Verifier, read_request
from wizard.material.key_types import KeyType
from wizard.material.requests import request_pem, signing_request
from wizard.material.subject import Subject


def table() -> Iterator[str]:
    """The lines of a Markdown table, computed now with what is installed here."""
    asked = [sample for key_type in KeyType for sample in samples(key_type)]
    kinds = list(dict.fromkeys(sample.kind for sample in asked))
    yield "| asked | " + " | ".join(kinds) + " |"
    yield "| --- |" + " --- |" * len(kinds)
    for verifier in VERIFIERS:
        if verifier.version() is None:
            yield f"| {verifier.name}: not installed |" + " not asked |" * len(kinds)
            continue
        accepted = _accepted(verifier, asked)
        cells = [_words([key for of, key in accepted if of == kind]) for kind in kinds]
        yield f"| {verifier.name} ({verifier.version()}) | " + " | ".join(cells) + " |"
    yield ""
    yield f"Key types: {', '.join(key_type.label for key_type in KeyType)}."
    key = key_of(KeyType.ECDSA_P256, "leaf")
    request = request_pem(signing_request(key, Subject(HOST), NAMES))
    readers = (name for name in REQUEST_READERS if which(name) and read_request(name, request))
    yield f"Signing requests are read and their signatures found good by: {', '.join(readers)}."


def _accepted(verifier: Verifier, asked: list[Sample]) -> list[tuple[str, KeyType]]:
    verdicts = zip(asked, verifier.verdicts(asked), strict=True)
    return [(sample.kind, sample.key_type) for sample, verdict in verdicts if not verdict]


def _words(accepted: list[KeyType]) -> str:
    refused = [key_type.label for key_type in KeyType if key_type not in accepted]
    if not refused:
        return "all"
    return f"all but {', '.join(refused)}" if accepted else "none"


if __name__ == "__main__":
    for line in table():
        print(line)
