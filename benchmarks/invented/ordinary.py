"""What ordinary children have: coughs, sprains, asthma, a few look-alikes of leukaemia, and the drugs and shots for it.

The constant parts of a resource are made once and shared by all, so that a hundred thousand children are made in minutes.
"""

from __future__ import annotations

from hooks.demo.fhir_builders import HL7, ICD10CM, LOINC, RXNORM, SNOMED, Resource


def _code(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _status(name: str, code: str) -> Resource:
    return {"coding": [{"system": HL7 + name, "code": code}]}


FOR_TESTS = {"security": [{"system": HL7 + "v3-ActReason", "code": "HTEST", "display": "test health data"}]}
ACTIVE, RESOLVED, REMISSION = (_status("condition-clinical", code) for code in ("active", "resolved", "remission"))
CONFIRMED = _status("condition-ver-status", "confirmed")
DIAGNOSED = [_status("condition-category", "encounter-diagnosis")]
LABORATORY, VITAL = ([_status("observation-category", code)] for code in ("laboratory", "vital-signs"))
AMBULATORY = {"system": HL7 + "v3-ActCode", "code": "AMB", "display": "ambulatory"}
CHECK_UP = [_code(SNOMED, "410620009", "Well child visit")]

COMMON = tuple(_code(SNOMED, code, display) for code, display in (
    ("195967001", "Asthma"), ("65363002", "Otitis media"), ("195662009", "Acute viral pharyngitis"), ("10509002", "Acute bronchitis"),
    ("444814009", "Viral sinusitis"), ("43878008", "Streptococcal sore throat"), ("24079001", "Atopic dermatitis"),
    ("44465007", "Sprain of ankle"), ("65966004", "Fracture of forearm"), ("62106007", "Concussion with no loss of consciousness"),
    ("367498001", "Seasonal allergic rhinitis"), ("192127007", "Child attention deficit disorder"), ("128613002", "Seizure disorder"),
    ("271737000", "Anemia"), ("87522002", "Iron deficiency anemia"), ("38822007", "Cystitis"), ("237602007", "Metabolic syndrome X"),
    ("414915002", "Obesity"), ("283385000", "Laceration of thigh"), ("46635009", "Diabetes mellitus type 1"),
))  # fmt: skip
LOOK_ALIKES = (
    (_code(SNOMED, "91861009", "Acute myeloid leukemia, disease"), REMISSION),
    (_code(ICD10CM, "C92.01", "Acute myeloblastic leukemia, in remission"), REMISSION),
    (_code(ICD10CM, "C81.90", "Hodgkin lymphoma, unspecified, unspecified site"), ACTIVE),
    (_code(ICD10CM, "C74.90", "Malignant neoplasm of unspecified part of unspecified adrenal gland"), ACTIVE),
    (_code(ICD10CM, "D72.823", "Leukemoid reaction"), RESOLVED),
    (_code(ICD10CM, "Z80.6", "Family history of leukemia"), ACTIVE),
    (_code(ICD10CM, "D70.9", "Neutropenia, unspecified"), RESOLVED),
)
"""Each with its clinical status: what a search for words takes for the disease, and no code of the family says."""

MEASURED = tuple((_code(LOINC, code, display), unit, low, high, category) for code, display, unit, low, high, category in (
    ("8302-2", "Body Height", "cm", 600, 1800, VITAL),
    ("29463-7", "Body Weight", "kg", 60, 800, VITAL),
    ("39156-5", "Body mass index (BMI)", "kg/m2", 130, 290, VITAL),
    ("8867-4", "Heart rate", "/min", 600, 1400, VITAL),
    ("9279-1", "Respiratory rate", "/min", 120, 340, VITAL),
    ("8310-5", "Body temperature", "Cel", 362, 396, VITAL),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 90, 155, LABORATORY),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 35, 160, LABORATORY),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 1400, 4500, LABORATORY),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 2, 15, LABORATORY),
    ("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "mg/dL", 2, 20, LABORATORY),
    ("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", 650, 1300, LABORATORY),
))  # fmt: skip
"""(code, unit, lowest, highest, category); the values in tenths."""

DRUGS = tuple(_code(RXNORM, code, display) for code, display in (
    ("308192", "Amoxicillin 500 MG Oral Tablet"), ("313820", "Acetaminophen 160 MG Chewable Tablet"), ("198405", "Ibuprofen 100 MG Oral Tablet"),
    ("630208", "Albuterol 0.83 MG/ML Inhalation Solution"),
    ("1014676", "cetirizine hydrochloride 5 MG Oral Tablet"),
    ("895994", "fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler"),
    ("6851", "methotrexate"),
))  # fmt: skip
VACCINES = tuple(_code("http://hl7.org/fhir/sid/cvx", code, display) for code, display in (
    ("08", "Hep B, adolescent or pediatric"), ("20", "DTaP"), ("10", "IPV"), ("03", "MMR"), ("21", "varicella"),
    ("133", "Pneumococcal conjugate PCV 13"), ("140", "Influenza, seasonal, injectable, preservative free"),
))  # fmt: skip
DONE = tuple(_code(SNOMED, code, display) for code, display in (
    ("430193006", "Medication reconciliation"),
    ("399208008", "Plain chest X-ray"),
    ("288086009", "Suture open wound"),
    ("274474001", "Bone immobilization"),
    ("23426006", "Measurement of respiratory function"), ("117015009", "Throat culture"),
))  # fmt: skip
ALLERGENS = tuple(_code(SNOMED, code, display) for code, display in (
    ("91935009", "Allergy to peanut"), ("91934008", "Allergy to nut"), ("300916003", "Latex allergy"), ("232347008", "Dander (animal) allergy"),
))  # fmt: skip
GIRLS = ("Wilma", "Lotte", "Juni", "Ida", "Nele", "Yuna", "Seoyeon")
BOYS = ("Emil", "Jonas", "Pip", "Theo", "Minjun", "Karl", "Anton")
FAMILIES = ("Applemoor", "Dandelion", "Thistledown", "Willowmere", "Snowberry", "Birkenhain", "Riverbend", "Moonfield")
