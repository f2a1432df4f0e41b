"""Codes of the invented charts that the demonstration does not use, each with the words a chart shows."""

from __future__ import annotations

from hooks.demo.fhir_builders import ICD10CM, OURS, RXNORM, SNOMED, concept
from hooks.demo.leukaemia_codes import loinc, snomed

MRD_OF = {f"{method}-{sample}": concept(OURS, f"mrd-{method}-{sample}", f"Residual disease in {sample} by {method}")
          for method in ("ngs", "flow", "pcr") for sample in ("marrow", "blood")}  # fmt: skip
MARROW_CATEGORY = concept(OURS, "marrow-category", "Marrow category")
ALL_UNSPECIFIED = snomed("91857003", "Acute lymphoid leukemia, disease")
MIXED_PHENOTYPE = snomed("1187123005", "Mixed phenotype acute leukemia")
BURKITT = snomed("118617000", "Burkitt's lymphoma")
REFRACTORY_ALL = snomed("12311000132101", "Refractory acute lymphoblastic leukemia")
PH_POSITIVE_ALL = snomed("425688002", "Philadelphia chromosome-positive acute lymphoblastic leukemia")
AML = snomed("91861009", "Acute myeloid leukemia, disease")
CNS_LEUKAEMIA = snomed("61301000119102", "Leukemia of central nervous system")
RELAPSE_LATER = concept(OURS, "relapse-ordinal-later", "Second or later relapse")

DIRECT_BILIRUBIN_MOLAR = loinc("14629-0", "Bilirubin.direct [Moles/volume] in Serum or Plasma")
EJECTION_MRI = loinc("8811-2", "Left ventricular Ejection fraction by MR")
EJECTION_MUGA = loinc("8812-0", "Left ventricular Ejection fraction by Nuclear blood pool")
EJECTION_ANY = loinc("10230-1", "Left ventricular Ejection fraction")
ECOG = loinc("89247-1", "ECOG Performance Status score")
HIV_RNA = loinc("20447-9", "HIV 1 RNA [#/volume] (viral load) in Serum or Plasma by NAA with probe detection")
HCG_SERUM = loinc("2118-8", "Choriogonadotropin (pregnancy test) [Presence] in Serum or Plasma")
HCG_QUANTITY = loinc("19080-1", "Choriogonadotropin [Units/volume] in Serum or Plasma")

SYNDROMES = {
    "Down": snomed("41040004", "Complete trisomy 21 syndrome"),
    "Bloom": snomed("4434006", "Bloom syndrome"),
    "ataxia-telangiectasia": snomed("68504005", "Ataxia-telangiectasia syndrome"),
    "Fanconi": snomed("30575002", "Fanconi's anemia"),
    "Kostmann": concept("http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", "C166153", "Kostmann Syndrome"),
    "Shwachman": snomed("89454001", "Shwachman syndrome"),
    "Diamond-Blackfan": snomed("88854002", "Diamond-Blackfan anemia"),
    "dyskeratosis": snomed("74911008", "Dyskeratosis congenita"),
}
HIV_INFECTION = snomed("86406008", "Human immunodeficiency virus infection")
PREGNANT = snomed("77386006", "Pregnancy")
GRAFT_VERSUS_HOST = snomed("234646005", "Graft-versus-host disease")
EPILEPSY = snomed("84757009", "Epilepsy")
CHEMOTHERAPY_NEUTROPENIA = concept(ICD10CM, "D70.1", "Agranulocytosis secondary to cancer chemotherapy")
ALLOGENEIC = snomed("58390007", "Allogeneic bone marrow transplantation")
TRANSPLANT_DONOR_UNSAID = snomed("23719005", "Transplantation of bone marrow")
AUTOLOGOUS = snomed("58776007", "Autologous bone marrow transplantation")

BLINATUMOMAB = concept(RXNORM, "1597258", "blinatumomab")
ETOPOSIDE = concept(RXNORM, "4179", "etoposide")
CYTARABINE = concept(RXNORM, "3041", "cytarabine")
METHOTREXATE = concept(RXNORM, "6851", "methotrexate")
PENICILLIN = concept(RXNORM, "7980", "penicillin G")
A_DRUG = concept(SNOMED, "416098002", "Allergy to drug")
PARTIAL = {"valueCodeableConcept": concept(OURS, "partial", "Partial")}
FAILED = {"valueCodeableConcept": concept(OURS, "failed", "Test failed")}
INADEQUATE = {"valueCodeableConcept": concept(OURS, "inadequate", "Sample inadequate")}
NOT_TRACKABLE = {"valueCodeableConcept": concept(OURS, "not-trackable", "No clone to follow")}
CATEGORY = {name: {"valueCodeableConcept": concept(OURS, name, name)} for name in ("M1", "M2", "M3")}
