"""Judges certificates by the day on which they end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.doctor.findings import Result, fail, ok, warn

_DAY = 86_400.0
#: days
_SOON = 21.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where it is shown or kept, and when it ends (Unix seconds). `cure` says whose it is to renew.

    `problem` is why it could not be read or is not trusted; "" when all is well. `trust_cure` is
    what makes it trusted.
    """

    where: str
    cure: str
    ends_at: float | None = None
    problem: str = ""
    trust_cure: str = ""


def judge_certificate(certificate: Certificate, now: float) -> Iterator[Result]:
    check = "certificate"
    if certificate.ends_at is None:
        if certificate.problem:
            yield fail(check, f"{certificate.where}: {certificate.problem}", certificate.cure)
        return
    days = (certificate.ends_at - now) / _DAY
    if days < 0:
        words = f"the certificate of {certificate.where} ended {-days:.0f} days ago"
        yield fail(check, words, certificate.cure)
    elif certificate.problem:
        cure = certificate.trust_cure or certificate.cure
        yield fail(check, f"{certificate.where}: {certificate.problem}", cure)
    elif days < _SOON:
        words = f"the certificate of {certificate.where} ends in {days:.0f} days"
        yield warn(check, words, certificate.cure)
    else:
        yield ok(check, f"that of {certificate.where} is good for {days:,.0f} days")
