"""What looks alike is told apart: one sentence for each code that people, and programs, have taken for another."""

import pytest

from codelist_rows import SYSTEMS, concept
from fhir_mappings.code_systems import ICD_10_CM, KCD, LOINC, SNOMED
from fhir_mappings.codelists import TRAPS, hints, label, statements, states, traps

CDC_RACE = "urn:oid:2.16.840.1.113883.6.238"  # not one of ours, but it shares digits with LOINC

SAYS = """
| sentence                                                  | system     | code            | says                                                                 | is not even a hint at             |
|-----------------------------------------------------------|------------|-----------------|----------------------------------------------------------------------|-----------------------------------|
| urine creatinine is not serum creatinine                  | LOINC      | 2161-8          | not_serum_creatinine                                                 | creatinine_serum_mass             |
| an estimated GFR is not a creatinine                      | LOINC      | 77147-7         | not_serum_creatinine                                                 | creatinine_serum_any              |
| an estimated GFR is not marrow blasts either              | LOINC      | 77147-7         | not_serum_creatinine                                                 | marrow_blasts_percent             |
| indirect bilirubin is not direct bilirubin                | LOINC      | 1971-1          | not_direct_bilirubin                                                 | bilirubin_direct_mass             |
| total bilirubin is not direct bilirubin                   | LOINC      | 1975-2          | bilirubin_total                                                      | bilirubin_direct_mass             |
| direct over total is a ratio                              | LOINC      | 35672-5         | not_direct_bilirubin                                                 | bilirubin_direct_any              |
| 44988-4 is not a shortening fraction                      | LOINC      | 44988-4         | not_shortening_fraction                                              | shortening_fraction_echo          |
| the upper limit of an LVEF is not an LVEF                 | LOINC      | 104145-8        | not_lvef                                                             | lvef_echo                         |
| an LVEF by MR is not by echo                              | LOINC      | 8811-2          | lvef_not_echo                                                        | lvef_echo                         |
| blasts in blood are not marrow blasts                     | LOINC      | 26446-5         | not_marrow_blasts                                                    | marrow_blasts_percent             |
| Ph-negative by name is not Ph-positive                    | SNOMED     | 714251006       | b_all, not_ph_positive_despite_name                                  | ph_positive_all                   |
| Ph-like is not Ph-positive                                | ICD_O_3    | 9819/3          | b_all, not_ph_positive_despite_name                                  | ph_positive_all                   |
| AML with BCR::ABL1 is not Ph-positive ALL                 | SNOMED     | 1237368006      | ph_positive_other_leukaemia                                          | ph_positive_all                   |
| lymphoma of testis is not leukaemia of testis             | SNOMED     | 277664004       | not_leukaemia_of_testis                                              | testicular_leukaemia              |
| CNS leukaemia in remission is not CNS leukaemia           | SNOMED     | 61291000119103  | cns_leukaemia_in_remission, all_in_remission, all_lineage_not_stated | cns_leukaemia                     |
| C91.00 hints at no remission and does not decide it       | ICD_10_CM  | C91.00          | all_lineage_not_stated                                               | all_in_remission                  |
| C91.0 names no lineage                                    | ICD_10     | C91.0           | all_lineage_not_stated                                               | b_all                             |
| KCD has no relapse digit                                  | KCD        | C91.02          |                                                                      | all_relapse                       |
| mature B-cell leukaemia is C91.8 in Korea                 | KCD        | C91.8           | burkitt_or_mature_b                                                  | all_lineage_not_stated            |
| 2106-3 in the race system says nothing                    | CDC_RACE   | 2106-3          |                                                                      | creatinine_serum_mass             |
| 1968-7 in the race system is not direct bilirubin         | CDC_RACE   | 1968-7          |                                                                      | bilirubin_direct_mass             |
| 103 is mercaptopurine in RxNorm                           | RXNORM     | 103             | mercaptopurine                                                       | methotrexate                      |
| 103 is nothing in LOINC                                   | LOINC      | 103             |                                                                      | mercaptopurine                    |
| M1 of our own is a marrow category                        | OWN        | M1              | marrow_category_m1                                                   | marrow_category_m2                |
| relapse in a transplanted marrow decides nothing          | SNOMED     | 234522008       |                                                                      | all_refractory                    |
| autologous is not allogeneic                              | SNOMED     | 709115004       | not_allogeneic_hsct                                                  | allogeneic_hsct                   |
| autologous leaves no question about a donor               | SNOMED     | 58776007        | not_allogeneic_hsct                                                  | hsct_donor_not_stated             |
| an infusion of blood stem cells ending in 0 is autologous | ICD_10_PCS | 30243Y0         | not_allogeneic_hsct                                                  | allogeneic_hsct                   |
| the same ending in 3 is from an unrelated donor           | ICD_10_PCS | 30243Y3         | allogeneic_hsct                                                      | hsct_donor_not_stated             |
| a transplant without its donor decides nothing            | SNOMED     | 23719005        |                                                                      | allogeneic_hsct                   |
| an identical twin decides nothing                         | SNOMED     | 234331007       |                                                                      | allogeneic_hsct                   |
| the Korean transplant status decides nothing              | KCD        | Z94.8           |                                                                      | allogeneic_hsct                   |
| GVHD is a sign of a transplant and not one                | ICD_10_CM  | D89.811         | graft_versus_host_disease                                            | allogeneic_hsct                   |
| GVHD by cells of the mother decides nothing               | SNOMED     | 402360001       |                                                                      | hsct_donor_not_stated             |
| GVHD after a kidney decides nothing                       | SNOMED     | 128631000119109 |                                                                      | hsct_donor_not_stated             |
| neutropenia by chemotherapy is no syndrome                | ICD_10_CM  | D70.1           | acquired_cytopenia_not_syndrome                                      | severe_congenital_neutropenia     |
| D70 decides nothing in Korea                              | KCD        | D70             |                                                                      | kostmann_syndrome                 |
| D61.0 decides nothing in Korea                            | KCD        | D61.0           |                                                                      | severe_congenital_neutropenia     |
| D61.9 is not even a question in Korea                     | KCD        | D61.9           |                                                                      | fanconi_anaemia                   |
| aplastic anaemia by a drug is no syndrome, in Korea too   | KCD        | D61.1           | acquired_cytopenia_not_syndrome                                      | fanconi_anaemia                   |
| Fanconi anaemia has a code of its own in the US           | ICD_10_CM  | D61.03          | fanconi_anaemia                                                      | other_inherited_marrow_failure    |
| Fanconi syndrome is of the kidney                         | ICD_10_CM  | E72.09          |                                                                      | fanconi_anaemia                   |
| Fanconi syndrome is of the kidney in Korea too            | KCD        | E72.0           |                                                                      | fanconi_anaemia                   |
| mosaic Down syndrome counts                               | ICD_10_CM  | Q90.1           | down_syndrome                                                        | other_predisposition_syndrome     |
| mastocytosis is not Bloom syndrome                        | ICD_10_CM  | Q82.2           |                                                                      | bloom_syndrome                    |
| like ataxia-telangiectasia is not it                      | ORPHANET   | 251347          | ataxia_telangiectasia_like                                           | ataxia_telangiectasia             |
| 100 is ataxia-telangiectasia at Orphanet                  | ORPHANET   | 100             | ataxia_telangiectasia                                                | bloom_syndrome                    |
| a screening visit is not HIV                              | ICD_10_CM  | Z11.4           | not_hiv_infection                                                    | hiv_infection                     |
| contact with HIV is not HIV                               | ICD_10_CM  | Z20.6           | not_hiv_infection                                                    | hiv_inconclusive                  |
| an inconclusive test is not HIV                           | ICD_10_CM  | R75             |                                                                      | hiv_infection                     |
| antibodies alone are not yet HIV                          | SNOMED     | 713742005       |                                                                      | hiv_infection                     |
| a viral load is an HIV test and finds the virus itself    | LOINC      | 20447-9         | hiv_test, hiv_rna_test                                               | hiv_infection                     |
| an antibody test does not find the virus itself           | LOINC      | 31201-7         | hiv_test                                                             | hiv_rna_test                      |
| cervix removed, uterus remaining                          | ICD_10_CM  | Z90.712         | not_hysterectomy                                                     | hysterectomy                      |
| uterus removed, cervix remaining                          | ICD_10_CM  | Z90.711         | hysterectomy                                                         | surgical_absence_genital_organ    |
| Z90.7 names no organ in Korea                             | KCD        | Z90.7           |                                                                      | hysterectomy                      |
| infertile is not sterilised                               | ICD_10_CM  | N97.1           |                                                                      | tubal_sterilisation               |
| menopause says nothing of a year                          | KCD        | N95.3           |                                                                      | bilateral_oophorectomy            |
| 2106-3 is the urine test                                  | LOINC      | 2106-3          | hcg_urine_qualitative                                                | hcg_serum_qualitative             |
| 2106-3 in the race system is no pregnancy test            | CDC_RACE   | 2106-3          |                                                                      | hcg_urine_qualitative             |
| 2118-8 in the race system is no pregnancy test            | CDC_RACE   | 2118-8          |                                                                      | hcg_serum_qualitative             |
| 2111-3 in the race system is no pregnancy test            | CDC_RACE   | 2111-3          |                                                                      | hcg_quantitative                  |
| a number of hCG decides nothing                           | LOINC      | 2111-3          |                                                                      | hcg_serum_qualitative             |
| not pregnant is an answer, not a look-alike               | LOINC      | LA26683-5       | not_pregnant                                                         | pregnant                          |
| ECOG is not Karnofsky                                     | LOINC      | 89247-1         | ecog_do_not_convert                                                  | karnofsky                         |
| Lansky is not Karnofsky                                   | NCIT       | C38144          | lansky                                                               | karnofsky                         |
| no known allergy is not an allergy                        | SNOMED     | 716186003       | no_known_allergy                                                     | drug_allergy_substance_not_stated |
| CD19 on blasts of unknown origin decides nothing          | LOINC      | 13840-4         |                                                                      | cd19_on_blasts                    |
| CD19 of our own is on blasts                              | OWN        | cd19-on-blasts  | cd19_on_blasts                                                       | cd19_expression                   |
| high risk at first diagnosis is no group of this trial    | NCIT       | C122458         | risk_assessment                                                      | disease_status                    |
| worse is not a relapse                                    | SNOMED     | 271299001       | disease_status_value                                                 | all_relapse                       |
| some cancer in full remission is not ALL in remission     | SNOMED     | 550991000124107 | disease_status_value                                                 | all_in_remission                  |
| intractable epilepsy decides nothing                      | ICD_10_CM  | G40.911         |                                                                      | cns_seizure                       |
| a febrile convulsion is not epilepsy                      | KCD        | R56.0           |                                                                      | cns_epilepsy                      |
| taking part in some trial decides nothing                 | SNOMED     | 428024001       |                                                                      | first_line_treatment              |
"""
ONLY_HINTS = """
| sentence                                               | system    | code      | only hints at                                                                                         |
|--------------------------------------------------------|-----------|-----------|-------------------------------------------------------------------------------------------------------|
| a relapse in a transplanted marrow may answer INC-04   | SNOMED    | 234522008 | all_relapse, hsct_donor_not_stated                                                                    |
| Z94.8 asks for the donor                               | KCD       | Z94.8     | hsct_donor_not_stated                                                                                 |
| D70 is chemotherapy or Kostmann syndrome in Korea      | KCD       | D70       | acquired_cytopenia_not_syndrome, severe_congenital_neutropenia                                        |
| D70 is the same for the WHO                            | ICD_10    | D70       | acquired_cytopenia_not_syndrome, severe_congenital_neutropenia                                        |
| D61.0 is one of four syndromes                         | KCD       | D61.0     | diamond_blackfan_anaemia, fanconi_anaemia, other_inherited_marrow_failure, shwachman_diamond_syndrome |
| D61.9 may be acquired                                  | KCD       | D61.9     | acquired_cytopenia_not_syndrome                                                                       |
| Q82.8 is one of two syndromes, or of many others       | KCD       | Q82.8     | bloom_syndrome, dyskeratosis_congenita                                                                |
| G11.3 is a syndrome, and cerebellar                    | KCD       | G11.3     | ataxia_telangiectasia, cns_cerebellar                                                                 |
| GVHD by cells of the mother is GVHD of a kind          | SNOMED    | 402360001 | graft_versus_host_disease                                                                             |
| laboratory evidence is no diagnosis                    | ICD_10    | R75       | hiv_inconclusive                                                                                      |
| antibodies want a second test                          | SNOMED    | 713742005 | hiv_inconclusive                                                                                      |
| an adverse effect of some chemotherapy                 | ICD_10_CM | T45.1X5A  | drug_allergy_substance_not_stated                                                                     |
| an immunophenotyping panel may hold CD19               | LOINC     | 45270-6   | cd19_expression                                                                                       |
| weeks of gestation, perhaps of a past pregnancy        | ICD_10_CM | Z3A.12    | pregnant                                                                                              |
| intractable epilepsy is epilepsy                       | ICD_10_CM | G40.911   | cns_epilepsy, cns_epilepsy_intractable                                                                |
| intractable epilepsy in Korea, written without its dot | KCD       | G4041     | cns_epilepsy, cns_epilepsy_intractable                                                                |
"""


def rows(table):
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.strip().splitlines()[2:]]
    return [pytest.param(*row[1:], id=row[0]) for row in cells]


def names(cell):
    return set(cell.split(", ")) - {""}


@pytest.mark.parametrize("system, code, says, never", rows(SAYS))
def test_look_alikes_are_told_apart(system, code, says, never):
    said = concept(((SYSTEMS | {"CDC_RACE": CDC_RACE})[system], code))
    assert {c for c, decides in statements(said) if decides} == names(says)
    assert traps(said) == {c for c in names(says) if c in TRAPS}
    assert not hints(said, never)


@pytest.mark.parametrize("system, code, hinted", rows(ONLY_HINTS))
def test_a_hint_asks_and_never_decides(system, code, hinted):
    said = statements(concept((SYSTEMS[system], code)))
    assert {c for c, _ in said} == names(hinted) and not any(decides for _, decides in said)


def test_the_same_digits_mean_different_places_in_two_systems():
    assert label(ICD_10_CM, "C79.31") == "Secondary malignant neoplasm of brain"
    assert "meninges" in label(KCD, "C79.31")


URINE, DRUG_INDUCED, CHEMOTHERAPY = (LOINC, "2161-8"), (ICD_10_CM, "D61.1"), (ICD_10_CM, "D70.1")
AUTOLOGOUS, SCREENING, CERVIX, ECOG = (SNOMED, "58776007"), (ICD_10_CM, "Z11.4"), (ICD_10_CM, "Z90.712"), (LOINC, "89247-1")


@pytest.mark.parametrize("trap, hint, mistaken", [
    (URINE, (LOINC, "35203-9"), "creatinine_serum_any"),
    (AUTOLOGOUS, (SNOMED, "23719005"), "hsct_donor_not_stated"),
    (CHEMOTHERAPY, (KCD, "D70"), "severe_congenital_neutropenia"),
    (DRUG_INDUCED, (KCD, "D61.0"), "fanconi_anaemia"),
    (CERVIX, (KCD, "Z90.7"), "surgical_absence_genital_organ"),
    (ECOG, (SNOMED, "273546003"), "karnofsky"),
])
def test_a_trap_silences_the_hints_it_is_mistaken_for(trap, hint, mistaken):
    assert hints(concept(hint), mistaken)
    assert not hints(concept(hint, trap), mistaken) and not hints(concept(trap, hint), mistaken)


@pytest.mark.parametrize("other, hint, stays", [
    ((SNOMED, "714251006"), (SNOMED, "122951000119108"), "all_relapse"),
    (AUTOLOGOUS, (SNOMED, "402360001"), "graft_versus_host_disease"),
    (AUTOLOGOUS, (SNOMED, "58390007"), "allogeneic_hsct"),  # decided: a contradiction to be seen
    (DRUG_INDUCED, (KCD, "Q82.8"), "dyskeratosis_congenita"),
    ((ICD_10_CM, "D70.9"), (SNOMED, "89655007"), "severe_congenital_neutropenia"),  # "unspecified" is not "acquired"
    ((ICD_10_CM, "D61.9"), (KCD, "D61.0"), "fanconi_anaemia"),
    (SCREENING, (ICD_10_CM, "R75"), "hiv_inconclusive"),
    (CERVIX, (SNOMED, "76876009"), "bilateral_oophorectomy"),
])
def test_a_trap_silences_no_other_hint_and_nothing_that_is_decided(other, hint, stays):
    assert hints(concept(hint, other), stays)


def test_a_contradiction_stays_visible():
    serum_and_urine = concept((LOINC, "2160-0"), URINE)
    assert states(serum_and_urine, "creatinine_serum_mass") and traps(serum_and_urine) == {"not_serum_creatinine"}
