"""The codelists say what we think they say: every row checked, every spelling understood, no junk fatal."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from codelist_rows import FOLDER, ROWS, SYSTEMS, concept
from fhir_mappings import codelists
from fhir_mappings.code_systems import (
    HIRA_DRUG, ICD_10, ICD_10_CM, ICD_10_PCS, ICD_O_3, KCD, LOINC, NCIT, ORPHANET, OWN, SNOMED, SYSTEM_ALIASES,
    loinc_check_digit, snomed_check_digit,
)
from fhir_mappings.codelists import (
    CODELISTS, TRAPS, CodelistError, Statement, codes_of, hints, label, read_codelists, statements, states, traps,
)

HEADER = "system,code,display,relation,why\n"

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
    (LOINC, "20447-9"): {"hiv_test", "hiv_rna_test"},
    (ICD_10_CM, "C91.01"): {"all_lineage_not_stated", "all_in_remission"},
    (ICD_10_CM, "C91.02"): {"all_lineage_not_stated", "all_relapse"},
}


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


# Categories: G40.- is G40 and everything below it --------------------------------------------------------------------


@pytest.mark.parametrize("system, code", [
    (KCD, "G40"), (KCD, "G40.9"), (KCD, "G409"), (KCD, "G40.31"), (KCD, "G4031"), (KCD, "G40.-"),
    (ICD_10, "G40.5"), (ICD_10_CM, "G40.911"), (ICD_10_CM, "G40911"), (ICD_10_CM, "G40.A11"),
    ("http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-9", "G409"),
])
def test_a_category_stands_for_every_code_below_it(system, code):
    assert Statement("cns_epilepsy", False) in statements(concept((system, code)))


@pytest.mark.parametrize("system, code, category", [
    (ICD_10_CM, "S06.0X0A", "cns_brain_injury"), (ICD_10_CM, "Z3A12", "pregnant"), (ICD_10_CM, "O09.521", "pregnant"),
    (ICD_10, "F20.0", "cns_psychosis"), (KCD, "R560", "cns_seizure"), (KCD, "G81.0", "cns_paralysis"),
    (KCD, "F05.8", "cns_organic_brain_syndrome"), (ICD_10_CM, "R27.0", "cns_movement_or_coordination"),
])
def test_categories_of_all_kinds(system, code, category):
    assert hints(concept((system, code)), category) and not states(concept((system, code)), category)


@pytest.mark.parametrize("system, code", [
    (KCD, "G41.0"), (KCD, "G4"), (KCD, "G"), (KCD, ""), (KCD, "G40-G47"), (KCD, "G40."), (KCD, "G40.*"), (KCD, "g40.9"),
    (SNOMED, "G40.9"), (LOINC, "G40.-"), ("urn:oid:1.2.3", "G40.9"), (ICD_O_3, "G40"),
])
def test_a_category_stands_for_nothing_else(system, code):
    assert statements(concept((system, code))) == ()


def test_a_code_that_has_its_own_row_is_not_a_category():
    assert statements(concept((KCD, "Q90.3"))) == () == statements(concept((ICD_10_CM, "D61.03X")))
    assert {row["code"][3:] for _, row in ROWS if "-" in row["code"] and row["system"] in (KCD, ICD_10, ICD_10_CM)} == {".-"}


def test_a_code_without_a_label_has_that_of_its_category():
    assert label(ICD_10_CM, "G40.501") == "Epilepsy and recurrent seizures"
    assert label(ICD_10_CM, "G40.919") == "Epilepsy, unspecified, intractable, without status epilepticus"


def test_a_search_by_code_cannot_be_made_of_a_category():
    with pytest.raises(CodelistError, match="no search finds every code of G40.-: fetch without a code"):
        codes_of("cns_epilepsy", system=KCD)
    assert codes_of("cns_epilepsy", system=SNOMED) == ("445355009", "84757009")


# The lists in use ---------------------------------------------------------------------------------------------------


def test_readers_ask_the_lists_in_use_and_a_test_gives_them_back():
    other = read_codelists([("b_all", HEADER + f"{LOINC},2160-0,x,exact,y\n")])
    creatinine = concept((LOINC, "2160-0"))
    with pytest.raises(ZeroDivisionError), codelists.using(other):
        assert codelists.in_use() is other and states(creatinine, "b_all") and label(LOINC, "2160-0") == "x"
        with ThreadPoolExecutor() as threads:  # a server answers in threads that it starts later
            assert threads.submit(states, creatinine, "b_all").result()
        assert codes_of("b_all") == ("2160-0",) and traps(creatinine) == frozenset()
        1 / 0
    assert codelists.in_use() is CODELISTS and states(creatinine, "creatinine_serum_mass")


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
    (ICD_10_PCS, "XW03351"), (ICD_10_PCS, "XW04351"),
    (SNOMED, "387316009"), (SNOMED, "386904003"),
])
def test_a_code_known_from_memory_only_is_not_shipped(system, code):
    assert statements(concept((system, code))) == ()


def test_snomed_labels_are_our_own():
    tags = ("(disorder)", "(finding)", "(substance)", "(body structure)", "(qualifier value)", "(procedure)")
    assert not [row for _, row in ROWS if row["system"] == SNOMED and row["display"].endswith(tags)]


def test_every_trap_and_what_it_is_mistaken_for_has_a_codelist():
    assert CODELISTS.concepts >= set(TRAPS) | {concept for mistaken in TRAPS.values() for concept in mistaken}
    named_so = {c for c in CODELISTS.concepts if c.startswith("not_")} - {"not_pregnant"}  # an answer, not a look-alike
    assert set(TRAPS) == named_so | {"ecog_do_not_convert", "acquired_cytopenia_not_syndrome"}


def test_a_name_ends_in_the_lansky_score():
    codes = [row["code"] for name, row in ROWS if name == "lansky_interpretation"]
    assert sorted(int(label(NCIT, code).split()[-1]) for code in codes) == list(range(0, 101, 10))


def test_only_a_code_that_names_the_drug_calls_a_cytopenia_acquired():
    decided = {row["display"] for name, row in ROWS if name == "acquired_cytopenia_not_syndrome" and row["relation"] == "exact"}
    assert decided and all("drug" in d.lower() or "chemotherapy" in d for d in decided)


def test_statuses_of_fhir_itself_are_not_codelists():
    assert not [c for c in CODELISTS.concepts if c.startswith("condition_")]



@pytest.mark.parametrize("text, message", [
    ("", "line 1: the columns must be system,code,display,relation,why"),
    (HEADER + f"{LOINC},2160-1,x,exact,y\n", r"line 2: 2160-1 is not a LOINC number \(check digit 0 expected\)"),
    (HEADER + f"{LOINC},2160,x,exact,y\n", "line 2: '2160' is not a LOINC number"),
    (HEADER + f"{SNOMED},277571005,x,exact,y\n", r"277571005 is not a SNOMED CT identifier \(check digit 4 expected\)"),
    (HEADER + f"{HIRA_DRUG},52300031,x,exact,y\n", r"9 digits \(a spreadsheet drops the leading zero\)"),
    (HEADER + f"{ICD_10_PCS},30233Y,x,exact,y\n", "'30233Y' is not an ICD-10-PCS code of 7 characters"),
    (HEADER + f"{ORPHANET},ORPHA:84,x,exact,y\n", "'ORPHA:84' is not an Orphanet number"),
    (HEADER + f"{ICD_10},G40.9-,x,exact,y\n", "'G40.9-' is not an ICD-10 code"),
    (HEADER + f"{ICD_10},G40.-,x,descendant,y\n", "a category such as G40.- only hints, list the codes below it one by one"),
    (HEADER + f"{SNOMED},84757009.-,x,exact,y\n", "'84757009.-' is not a SNOMED CT identifier"),
    (HEADER + f"{OWN},cd19.-,x,exact,y\n", "'cd19.-' is not a code of our own"),
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
