"""Faults on purpose: what goes wrong with a platform and its network, by rule and by chance."""

from pointsman.emulator.faults.parsing import fault_from_text, faults_from_file, read_fault
from pointsman.emulator.faults.rules import Fault
from pointsman.emulator.faults.striking import Faults, RequestFacts, Strike

__all__ = [
    "Fault",
    "Faults",
    "RequestFacts",
    "Strike",
    "fault_from_text",
    "faults_from_file",
    "read_fault",
]
