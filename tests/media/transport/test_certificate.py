from __future__ import annotations

import pytest
from aiortc import RTCCertificate

from media.parameters import Fingerprint
from media.transport.certificate import Certificate, matches

THEIRS = RTCCertificate.generateCertificate()
RIGHT = {f.algorithm: Fingerprint(f.algorithm, f.value) for f in THEIRS.getFingerprints()}
WRONG = Fingerprint("sha-256", ":".join(["AB"] * 32))


@pytest.mark.parametrize(
    ("promised", "agrees"),
    [
        ((RIGHT["sha-256"],), True),
        ((Fingerprint("SHA-256", RIGHT["sha-256"].value.lower()),), True),
        ((RIGHT["sha-256"], RIGHT["sha-512"]), True),
        ((RIGHT["sha-256"], Fingerprint("md2", "00")), True),  # an unknown hash says nothing
        ((RIGHT["sha-256"], WRONG), False),
        ((WRONG,), False),
        ((Fingerprint("md2", "00"),), False),
        ((Fingerprint("sha-256", "no hex"),), False),
        ((), False),
    ],
)
def test_fingerprints(promised: tuple[Fingerprint, ...], agrees: bool) -> None:
    assert matches(THEIRS._cert, promised) is agrees


def test_ours_is_what_the_answer_says() -> None:
    own = Certificate.generate()
    assert own.fingerprint.algorithm == "sha-256"
    assert matches(own.x509, (own.fingerprint,))
