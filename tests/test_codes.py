"""The codelists say what we think they say: every row checked, every look-alike told apart, no junk fatal."""

import csv
from collections import defaultdict
from importlib.resources import files

import pytest

from fhir_mappings import code_systems
from fhir_mappings.code_systems import (
    HIRA_DRUG, ICD_10_CM, ICD_O_3, KCD, LOINC, SNOMED, SYSTEM_ALIASES, loinc_check_digit, snomed_check_digit,
)
from fhir_mappings.codelists import (
    CODELISTS, TRAPS, CodelistError, Statement, codes_of, hints, label, read_codelists, statements, states, traps,
)

FOLDER = files("fhir_mappings") / "codes"
ROWS = [
    (path.name.removesuffix(".csv"), row)
    for path in FOLDER.iterdir() if path.name.endswith(".csv")
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
]
SYSTEMS = {name: value for name, value in vars(code_systems).items() if name.isupper() and isinstance(value, str)}
CDC_RACE = "urn:oid:2.16.840.1.113883.6.238"  # not one of ours, but it shares digits with LOINC

# These state several facts on purpose. Any other code that decides in two lists is there by accident.
SEVERAL_FACTS = {
    (SNOMED, "714251006"): {"b_all", "not_ph_positive_despite_name"},
    (SNOMED, "723889003"): {"b_all", "ph_positive_all"},
    (SNOMED, "425688002"): {"all_lineage_not_stated", "ph_positive_all"},
    (SNOMED, "425941003"): {"b_all", "all_in_remission"},
    (SNOMED, "427642009"): {"t_all", "all_in_remission"},
    (SNOMED, "91856007"): {"all_lineage_not_stated", "all_in_remission"},
    (SNOMED, "12301000132103"): {"all_lineage_not_stated", "all_relapse"},
    (SNOMED, "12311000132101"): {"all_lineage_not_stated", "all_refractory"},
    (SNOMED, "61301000119102"): {"all_lineage_not_stated", "cns_leukaemia"},
    (SNOMED, "61291000119103"): {"all_lineage_not_stated", "all_in_remission", "cns_leukaemia_in_remission"},
    (ICD_O_3, "9812/3"): {"b_all", "ph_positive_all"},
    (ICD_O_3, "9819/3"): {"b_all", "not_ph_positive_despite_name"},
    (ICD_10_CM, "C91.01"): {"all_lineage_not_stated", "all_in_remission"},
    (ICD_10_CM, "C91.02"): {"all_lineage_not_stated", "all_relapse"},
}

SENTENCES = """
| sentence                                                | system    | code           | says                                                                 | is not even a hint at    |
|---------------------------------------------------------|-----------|----------------|----------------------------------------------------------------------|--------------------------|
| urine creatinine is not serum creatinine                | LOINC     | 2161-8         | not_serum_creatinine                                                 | creatinine_serum_mass    |
| an estimated GFR is not a creatinine                    | LOINC     | 77147-7        | not_serum_creatinine                                                 | creatinine_serum_any     |
| an estimated GFR is not marrow blasts either            | LOINC     | 77147-7        | not_serum_creatinine                                                 | marrow_blasts_percent    |
| indirect bilirubin is not direct bilirubin              | LOINC     | 1971-1         | not_direct_bilirubin                                                 | bilirubin_direct_mass    |
| total bilirubin is not direct bilirubin                 | LOINC     | 1975-2         | bilirubin_total                                                      | bilirubin_direct_mass    |
| direct over total is a ratio                            | LOINC     | 35672-5        | not_direct_bilirubin                                                 | bilirubin_direct_any     |
| 44988-4 is not a shortening fraction                    | LOINC     | 44988-4        | not_shortening_fraction                                              | shortening_fraction_echo |
| the upper limit of an LVEF is not an LVEF               | LOINC     | 104145-8       | not_lvef                                                             | lvef_echo                |
| an LVEF by MR is not by echo                            | LOINC     | 8811-2         | lvef_not_echo                                                        | lvef_echo                |
| blasts in blood are not marrow blasts                   | LOINC     | 26446-5        | not_marrow_blasts                                                    | marrow_blasts_percent    |
| Ph-negative by name is not Ph-positive                  | SNOMED    | 714251006      | b_all, not_ph_positive_despite_name                                  | ph_positive_all          |
| Ph-like is not Ph-positive                              | ICD_O_3   | 9819/3         | b_all, not_ph_positive_despite_name                                  | ph_positive_all          |
| AML with BCR::ABL1 is not Ph-positive ALL               | SNOMED    | 1237368006     | ph_positive_other_leukaemia                                          | ph_positive_all          |
| lymphoma of testis is not leukaemia of testis           | SNOMED    | 277664004      | not_leukaemia_of_testis                                              | testicular_leukaemia     |
| CNS leukaemia in remission is not CNS leukaemia         | SNOMED    | 61291000119103 | cns_leukaemia_in_remission, all_in_remission, all_lineage_not_stated | cns_leukaemia            |
| C91.00 hints at no remission and does not decide it     | ICD_10_CM | C91.00         | all_lineage_not_stated                                               | all_in_remission         |
| C91.0 names no lineage                                  | ICD_10    | C91.0          | all_lineage_not_stated                                               | b_all                    |
| KCD has no relapse digit                                | KCD       | C91.02         |                                                                      | all_relapse              |
| mature B-cell leukaemia is C91.8 in Korea               | KCD       | C91.8          | burkitt_or_mature_b                                                  | all_lineage_not_stated   |
| 2106-3 in the race system says nothing                  | CDC_RACE  | 2106-3         |                                                                      | creatinine_serum_mass    |
| 1968-7 in the race system is not direct bilirubin       | CDC_RACE  | 1968-7         |                                                                      | bilirubin_direct_mass    |
| 103 is mercaptopurine in RxNorm                         | RXNORM    | 103            | mercaptopurine                                                       | methotrexate             |
| 103 is nothing in LOINC                                 | LOINC     | 103            |                                                                      | mercaptopurine           |
| M1 of our own is a marrow category                      | OWN       | M1             | marrow_category_m1                                                   | marrow_category_m2       |
| relapse in a transplanted marrow decides nothing | SNOMED    | 234522008      |                                                                      | all_refractory           |
"""
TABLE = [[cell.strip() for cell in line.split("|")[1:-1]] for line in SENTENCES.strip().splitlines()[2:]]


def concept(*codings):
    return {"coding": [{"system": system, "code": code} for system, code in codings]}


@pytest.mark.parametrize("system, code, says, never", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_look_alikes_are_told_apart(system, code, says, never):
    said = concept(((SYSTEMS | {"CDC_RACE": CDC_RACE})[system], code))
    assert {c for c, decides in statements(said) if decides} == set(says.split(", ")) - {""}
    assert traps(said) == {c for c in says.split(", ") if c in TRAPS}
    assert not hints(said, never)


def test_the_same_digits_mean_different_places_in_two_systems():
    assert label(ICD_10_CM, "C79.31") == "Secondary malignant neoplasm of brain"
    assert "meninges" in label(KCD, "C79.31")


# Reading ------------------------------------------------------------------------------------------------------------


def test_every_coding_is_read_and_one_code_may_state_several_facts():
    said = concept(("urn:oid:1.2.840.114350", "17"), (SNOMED, "723889003"), (ICD_10_CM, "C91.02"))
    assert states(said, "b_all") and states(said, "ph_positive_all") and states(said, "all_relapse")


def test_a_deciding_coding_outweighs_a_hinting_one():
    hint, decision = (SNOMED, "122951000119108"), (ICD_10_CM, "C91.02")
    assert statements(concept(hint)) == (Statement("all_relapse", False),)
    assert hints(concept(hint), "all_relapse") and not states(concept(hint), "all_relapse")
    for codings in ((hint, decision), (decision, hint)):
        assert Statement("all_relapse", True) in statements(concept(*codings))


def test_a_trap_silences_the_hints_it_is_mistaken_for_and_no_other():
    mass_or_moles, urine, relapse = (LOINC, "35203-9"), (LOINC, "2161-8"), (SNOMED, "122951000119108")
    assert hints(concept(mass_or_moles), "creatinine_serum_any")
    assert not hints(concept(mass_or_moles, urine), "creatinine_serum_any")
    assert hints(concept((SNOMED, "714251006"), relapse), "all_relapse")


def test_a_contradiction_stays_visible():
    serum_and_urine = concept((LOINC, "2160-0"), (LOINC, "2161-8"))
    assert states(serum_and_urine, "creatinine_serum_mass") and traps(serum_and_urine) == {"not_serum_creatinine"}


ANY_CODE = {row["system"]: row["code"] for _, row in ROWS}


@pytest.mark.parametrize("system, code", [
    (f"{SNOMED}/731000124108", "277571004"), (f"{SNOMED}/900000000000207008/version/20240101", "277571004"),
    (KCD, "C910"), (KCD, "C91.0"), (KCD, "C7930"), (ICD_10_CM, "C9102"),
    ("https://simplifier.net/fhir/MyHealthWay/CodeSystem/KCD-8", "C910"),
    *((alias, ANY_CODE[system]) for alias, system in SYSTEM_ALIASES.items() if system in ANY_CODE),
])
def test_other_spellings_of_a_system_or_a_code_are_understood(system, code):
    assert statements(concept((system, code)))


def test_korean_drug_codes_keep_their_leading_zero():
    assert states(concept((HIRA_DRUG, "052300031")), "blinatumomab")
    assert statements(concept((HIRA_DRUG, "52300031"))) == ()


JUNK = [
    None, True, 7, 1.5, "2160-0", [], ["2160-0"], {}, {"text": "creatinine"}, {"coding": None}, {"coding": "2160-0"},
    {"coding": {"system": LOINC, "code": "2160-0"}}, {"coding": [None, 3, "x", [], {}]},
    {"coding": [{"code": "2160-0"}]}, {"coding": [{"system": LOINC}]},
    {"coding": [{"system": [LOINC], "code": {"a": 1}}]}, {"system": LOINC, "code": 2160}, {"system": None, "code": "2160-0"}, {"coding": [{"system": LOINC, "code": ""}]},
]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_states_nothing_and_never_raises(junk):
    assert statements(junk) == () and traps(junk) == frozenset()
    assert not states(junk, "b_all") and not hints(junk, "b_all")


def test_a_bare_coding_reads_like_a_concept_and_junk_beside_it_does_no_harm():
    assert states({"system": LOINC, "code": "2160-0"}, "creatinine_serum_mass")
    assert states({"coding": [None, {"system": 4}, {"system": LOINC, "code": "2160-0"}]}, "creatinine_serum_mass")
    assert label(LOINC, "2160-0") and label(LOINC, "0-0") is None and label(None, ["2160-0"]) is None


def test_codes_to_search_for():
    assert codes_of("creatinine_serum_mass") == ("21232-4", "2160-0", "38483-4")
    assert "35203-9" in codes_of("creatinine_serum_mass", "creatinine_serum_any")
    assert codes_of("all_lineage_not_stated", system=KCD) == ("C91.0", "C910")
    assert codes_of("creatinine_serum_mass", system=SNOMED) == ()


def test_a_misspelt_concept_is_an_error_and_not_an_absence():
    for ask in (lambda: codes_of("creatinin"), lambda: states({}, "creatinin"), lambda: hints({}, "creatinin")):
        with pytest.raises(CodelistError, match="no codelist is called 'creatinin'"):
            ask()


# The rows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["2160-0", "1968-7", "11150-0", "104256-3", "LA9633-4", "LA15173-0", "LA26683-5"])
def test_the_loinc_check_digit_notices_every_altered_digit(code):
    stem, digit = code[:-2], int(code[-1])
    assert loinc_check_digit(stem) == digit
    assert all(loinc_check_digit(altered) != digit for altered in one_digit_altered(stem))


@pytest.mark.parametrize("code", ["277571004", "91857003", "12301000132103", "1255749004", "10828004", "248152002"])
def test_the_snomed_check_digit_notices_every_altered_or_swapped_digit(code):
    stem, digit = code[:-1], int(code[-1])
    swapped = [stem[:i] + stem[i + 1] + stem[i] + stem[i + 2:] for i in range(len(stem) - 1) if stem[i] != stem[i + 1]]
    assert snomed_check_digit(stem) == digit
    assert all(snomed_check_digit(altered) != digit for altered in one_digit_altered(stem) + swapped)


def one_digit_altered(stem):
    places = [i for i, character in enumerate(stem) if character.isdigit()]
    return [stem[:i] + other + stem[i + 1:] for i in places for other in "0123456789" if other != stem[i]]


def test_check_digits_of_all_rows():
    for name, row in ROWS:
        code = row["code"]
        if row["system"] == LOINC:
            assert loinc_check_digit(code[:-2]) == int(code[-1]), (name, code)
        if row["system"] == SNOMED:
            assert snomed_check_digit(code[:-1]) == int(code[-1]), (name, code)


def test_every_row_is_in_a_known_system_and_says_why_it_is_there():
    for name, row in ROWS:
        assert row["system"] in SYSTEMS.values(), (name, row)
        assert row["display"].strip() and row["why"].strip(), (name, row)


def test_no_code_decides_in_two_lists_by_accident():
    found = defaultdict(set)
    for name, row in ROWS:
        if row["relation"] != "ancestor-needs-context":
            found[row["system"], row["code"]].add(name)
    assert {key: names for key, names in found.items() if len(names) > 1} == SEVERAL_FACTS


def test_no_procedure_terminology_of_the_ama_is_shipped():
    assert not [row for _, row in ROWS if "ama-assn" in row["system"] or row["code"] in ("38240", "38241", "38242")]


@pytest.mark.parametrize("system, code", [
    (ICD_O_3, "9729/3"), (ICD_O_3, "9727/3"), (ICD_O_3, "9826/3"),
    ("http://www.cms.gov/Medicare/Coding/ICD10", "XW03351"), ("http://www.cms.gov/Medicare/Coding/ICD10", "XW04351"),
    (SNOMED, "387316009"), (SNOMED, "386904003"),
])
def test_a_code_known_from_memory_only_is_not_shipped(system, code):
    assert statements(concept((system, code))) == ()


def test_snomed_labels_are_our_own():
    tags = ("(disorder)", "(finding)", "(substance)", "(body structure)", "(qualifier value)", "(procedure)")
    assert not [row for _, row in ROWS if row["system"] == SNOMED and row["display"].endswith(tags)]


def test_every_trap_and_what_it_is_mistaken_for_has_a_codelist():
    assert CODELISTS.concepts >= set(TRAPS) | {concept for mistaken in TRAPS.values() for concept in mistaken}
    assert {c for c in CODELISTS.concepts if c.startswith("not_")} == set(TRAPS)


HEADER = "system,code,display,relation,why\n"


@pytest.mark.parametrize("text, message", [
    ("", "line 1: the columns must be system,code,display,relation,why"),
    (HEADER + f"{LOINC},2160-1,x,exact,y\n", r"line 2: 2160-1 is not a LOINC number \(check digit 0 expected\)"),
    (HEADER + f"{LOINC},2160,x,exact,y\n", "line 2: '2160' is not a LOINC number"),
    (HEADER + f"{SNOMED},277571005,x,exact,y\n", r"277571005 is not a SNOMED CT identifier \(check digit 4 expected\)"),
    (HEADER + f"{HIRA_DRUG},52300031,x,exact,y\n", r"9 digits \(a spreadsheet drops the leading zero\)"),
    (HEADER + f"{KCD},C910,x,exact,y\n", "'C910' is not a KCD code, written with its dot"),
    (HEADER + "http://www.ama-assn.org/go/cpt,38240,x,exact,y\n", "CPT may not be shipped"),
    (HEADER + f"{LOINC},2160-0,x,maybe,y\n", "the relation 'maybe' must be one of exact, descendant, ancestor"),
    (HEADER + f"{LOINC},2160-0,x,exact, \n", "2160-0 needs a display, and a why"),
    (HEADER + f"{LOINC},2160-0,x,y,exact,z\n", "6 fields instead of 5, put quotes around"),
    (HEADER + 2 * f"{LOINC},2160-0,x,exact,y\n", "line 3: 2160-0 is listed twice, keep one row"),
    (HEADER + f'{LOINC},2160-0,"x,exact,y\n', "look for a stray quote"),
])
def test_a_mistake_in_a_codelist_is_told_with_its_place(text, message):
    with pytest.raises(CodelistError, match=message) as told:
        read_codelists([("creatinine_serum_mass", text)])
    assert str(told.value).startswith("codes/creatinine_serum_mass.csv line ")


def test_one_code_has_one_label():
    with pytest.raises(CodelistError, match="b.csv line 2: 2160-0 is 'x' in another codelist"):
        read_codelists([("a", HEADER + f"{LOINC},2160-0,x,exact,y\n"), ("b", HEADER + f"{LOINC},2160-0,z,exact,y\n")])


def test_the_readme_names_every_code_system_in_use():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(row["system"] in readme for _, row in ROWS)
