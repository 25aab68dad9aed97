"""Forgets a person, hands out what is kept of one, and finds whom a pseudonym in the log means."""

from pointsman.privacy.exporting import export_person, holds_nothing
from pointsman.privacy.forgetting import ForgetRequest, Forgotten, forget, pseudonym
from pointsman.privacy.identity_rules import IdentityRules
from pointsman.privacy.who import find_pseudonym

__all__ = [
    "ForgetRequest",
    "Forgotten",
    "IdentityRules",
    "export_person",
    "find_pseudonym",
    "forget",
    "holds_nothing",
    "pseudonym",
]
