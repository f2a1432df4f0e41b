"""The codes of the illness, of the tests the trial asks for, and of the drugs, each with the words a chart shows."""

from __future__ import annotations

from hooks.demo.fhir_builders import ICD10CM, LOINC, NCIT, OURS, RXNORM, SNOMED, Resource, concept


def loinc(code: str, display: str, text: str = "") -> Resource:
    return concept(LOINC, code, display, text=text)


def snomed(code: str, display: str, text: str = "") -> Resource:
    return concept(SNOMED, code, display, text=text)


B_ALL = snomed("277571004", "B-cell acute lymphoblastic leukemia (disorder)", "B-cell acute lymphoblastic leukaemia")
T_ALL = snomed("277575008", "T-cell acute lymphoblastic leukemia (disorder)", "T-cell acute lymphoblastic leukaemia")
IN_RELAPSE = {"system": ICD10CM, "code": "C91.02", "display": "Acute lymphoblastic leukemia, in relapse"}
FIRST_LINE = snomed("708255002", "First line treatment")
NO_ALLERGY = snomed("716186003", "No known allergy (situation)", "No known allergy")
MARROW = snomed("14016003", "Bone marrow structure", "bone marrow")
TESTIS = snomed("40689003", "Testis structure (body structure)", "testis")
VINCRISTINE = concept(RXNORM, "11202", "vincristine")
IDARUBICIN = concept(RXNORM, "5650", "idarubicin")
MERCAPTOPURINE = concept(RXNORM, "103", "mercaptopurine")

BLASTS = loinc("11150-0", "Blasts/100 cells in Bone marrow", "Marrow blasts")
CD19 = concept(OURS, "cd19-on-blasts", "CD19 on blasts", text="CD19 on leukaemic blasts (flow cytometry)")
BCR_ABL1 = loinc("21821-4", "t(9;22)(q34.1;q11)(ABL1,BCR) fusion transcript", "BCR::ABL1 fusion transcript")
HIV = loinc(
    "56888-1", "HIV 1+2 Ab+HIV1 p24 Ag [Presence] in Serum or Plasma by Immunoassay", "HIV antibody and antigen"
)
HCG = loinc("2106-3", "Choriogonadotropin (pregnancy test) [Presence] in Urine", "Pregnancy test, urine")
CREATININE = {
    "mg/dL": loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "Creatinine"),
    "umol/L": loinc("14682-9", "Creatinine [Moles/volume] in Serum or Plasma", "Creatinine"),
}
DIRECT_BILIRUBIN = loinc("1968-7", "Bilirubin.direct [Mass/volume] in Serum or Plasma", "Bilirubin, direct")
TOTAL_BILIRUBIN = loinc("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "Bilirubin, total")
SHORTENING = loinc("18051-3", "Left Ventricular Fractional Shortening", "Shortening fraction")
EJECTION = loinc("18043-0", "Left ventricular Ejection fraction by US", "Ejection fraction")
LANSKY = concept(NCIT, "C38144", "Lansky performance status")
KARNOFSKY = loinc("89243-0", "Karnofsky Performance Status score")
NGS_MRD = concept(
    OURS, "mrd-ngs-marrow", "Residual disease in marrow by next-generation sequencing", text="NGS-MRD, marrow"
)
DETECTION_LIMIT = concept(OURS, "mrd-limit-of-detection", "Limit of detection")
END_OF_INDUCTION = concept(OURS, "end-of-induction", "End-of-induction assessment")
