"""What a trial says: values the record leaves open, criteria under their own sentence, and the judgement.

Standard library only. No FHIR, no HTTP, no clock: `assess(protocol, facts)` gives the same answer today and tomorrow.
"""

from cds.assessment import Assessment
from cds.facts import PatientFacts
from cds.protocol import Protocol, assess
from cds.truth import Truth

__all__ = ["Assessment", "PatientFacts", "Protocol", "Truth", "assess"]
