"""What the record says: FHIR R4 resources in, `PatientFacts` out. Mappings translate; they never decide."""

from fhir_mappings.read import read_patient
from fhir_mappings.record import Answer, Outcome, Record

__all__ = ["Answer", "Outcome", "Record", "read_patient"]
