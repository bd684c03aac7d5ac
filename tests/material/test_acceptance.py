"""Every kind of certificate with every type of key, before every implementation at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.material.samples import guides_authority, samples
from tests.material.verifiers import VERIFIERS, Verifier
from wizard.material.key_types import KeyType


@pytest.mark.parametrize("verifier", VERIFIERS, ids=lambda verifier: verifier.name)
def test_every_kind_of_certificate_is_accepted_with_every_type_of_key(verifier: Verifier) -> None:
    if verifier.version() is None:
        pytest.skip(
            f"{verifier.name} is not installed: what it says about our certificates is NOT tested here"
        )
    asked = [sample for key_type in KeyType for sample in samples(key_type)]
    verdicts = verifier.verdicts(asked)
    assert len(verdicts) == len(asked) == 36
    for sample, verdict in zip(asked, verdicts, strict=True):
        if rule := verifier.own_rule(sample):
            assert rule in verdict, f"{sample.kind}, {sample.key_type.label}: now accepted; mend the table"
        else:
            assert verdict == "", f"{sample.kind}, {sample.key_type.label}"


@pytest.mark.parametrize("verifier", VERIFIERS, ids=lambda verifier: verifier.name)
def test_every_implementation_asked_can_refuse(verifier: Verifier, tmp_path: Path) -> None:
    if verifier.version() is None:
        pytest.skip(f"{verifier.name} is not installed: it is NOT tested here")
    good, stranger = samples(KeyType.ECDSA_P256)[0], samples(KeyType.ECDSA_P256)[4]
    # A linter knows nothing of trust, but much of form.
    _, version_1 = guides_authority(tmp_path)
    refused = [replace(good, anchor=stranger.anchor), replace(good, chain=(version_1,))]
    verdicts = verifier.verdicts(refused[1:] if verifier.name.startswith("pkilint") else refused[:1])
    assert all(verdicts)
