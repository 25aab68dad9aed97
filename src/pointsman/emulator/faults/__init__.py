"""Faults on purpose: what goes wrong with a platform and its network, by rule and by chance."""

from pointsman.emulator.faults.event_faults import (
    InjectedEventFault,
    InjectedRestFault,
    InjectedWebhookFault,
)
from pointsman.emulator.faults.facts import RequestFacts, facts_of, named_facts
from pointsman.emulator.faults.injector import Faults, InjectedFault
from pointsman.emulator.faults.parsing import (
    fault_from_text,
    faults_from_file,
    read_fault,
    read_faults,
)
from pointsman.emulator.faults.rules import Fault

__all__ = [
    "Fault",
    "Faults",
    "InjectedEventFault",
    "InjectedFault",
    "InjectedRestFault",
    "InjectedWebhookFault",
    "RequestFacts",
    "facts_of",
    "fault_from_text",
    "faults_from_file",
    "named_facts",
    "read_fault",
    "read_faults",
]
