"""A hospital's own codes: understood like ours, and every mistake in their file told with its line."""

from itertools import combinations

import pytest

from codelist_rows import concept
from fhir_mappings import codelists
from fhir_mappings.code_systems import HIRA_DRUG, HIRA_PROCEDURE, ICD_10_CM, KCD, LOINC, OWN, SNOMED
from fhir_mappings.codelists import CODELISTS, CodelistError
from fhir_mappings.site_codes import TOGETHER, read_site_codes, together

HEADER = "system,code,concept,note\n"
LAB = "urn:oid:1.2.410.100110.40.1"
CPT = "http://www.ama-assn.org/go/cpt"


@pytest.fixture
def site(tmp_path):
    """Writes the rows to a file and reads them; `at` is that file."""

    def read(rows, header=HEADER, encoding="utf-8"):
        read.at.write_bytes((header + rows).encode(encoding))
        return read_site_codes(read.at)

    read.at = tmp_path / "site-codes.csv"
    return read


def test_a_sites_codes_decide_and_ours_still_do(site):
    lists = site(f'{LAB},BL3120,creatinine_serum_mass,"creatinine, central laboratory"\n{LAB},00417,mrd_ngs_marrow,\n')
    assert lists.states(concept((LAB, "BL3120")), "creatinine_serum_mass")
    assert lists.states(concept((LAB, "00417")), "mrd_ngs_marrow")
    assert lists.states(concept((LOINC, "2160-0")), "creatinine_serum_mass")
    assert not CODELISTS.states(concept((LAB, "BL3120")), "creatinine_serum_mass")


def test_a_leading_zero_is_part_of_the_code(site):
    lists = site(f"{LAB},00417,mrd_ngs_marrow,\n{LAB},417,not_serum_creatinine,\n")
    assert lists.traps(concept((LAB, "417"))) == {"not_serum_creatinine"}
    assert not lists.hints(concept((LAB, "0417")), "mrd_ngs_marrow")


def test_the_note_is_the_label_and_else_the_concept(site):
    lists = site(f'{LAB},BL3120,creatinine_serum_mass,"creatinine, ""old"" method"\n{LAB},7,lvef_echo,\n{LOINC},10230-1,lvef_echo,ours\n')
    assert lists.label(LAB, "BL3120") == 'creatinine, "old" method' and lists.label(LAB, "7") == "lvef echo"
    assert lists.label(LOINC, "10230-1") == CODELISTS.label(LOINC, "10230-1")


@pytest.mark.parametrize("encoding, end", [("utf-8", "\n"), ("utf-8-sig", "\n"), ("utf-8", "\r\n"), ("utf-8-sig", "\r\n"), ("utf-8", "\r")])
def test_files_as_spreadsheets_write_them(site, encoding, end):
    rows = end.join([f'"{LAB}"," 0042 ","lansky","놀이 활동도, 외래"', "", ",,,", f"{LAB},43,karnofsky,", ""])
    lists = site(rows, header=HEADER.strip() + end, encoding=encoding)
    assert lists.states(concept((LAB, "0042")), "lansky") and lists.states(concept((LAB, "43")), "karnofsky")
    assert lists.label(LAB, "0042") == "놀이 활동도, 외래"


def test_an_empty_file_with_its_header_adds_nothing(site):
    assert site("").lookup == CODELISTS.lookup and site("").site_systems == ()


def test_a_known_system_may_go_by_its_other_names(site):
    lists = site("https://hira.or.kr/CodeSystem/lab-result-code,D2280,creatinine_serum_mass,\n"
                 "https://simplifier.net/fhir/MyHealthWay/CodeSystem/KCD-8,Q900,down_syndrome,\n"
                 f"{CPT},38240,allogeneic_hsct,licensed here\n")
    assert lists.states(concept((HIRA_PROCEDURE, "D2280")), "creatinine_serum_mass")
    assert lists.site_systems == (CPT, HIRA_PROCEDURE, KCD)
    assert lists.codes_of("creatinine_serum_mass", system=HIRA_PROCEDURE) == ("D2280",)
    assert lists.states(concept((CPT, "38240")), "allogeneic_hsct")


def test_a_site_may_settle_what_ours_only_hints_at(site):
    method_not_stated = concept((LOINC, "10230-1"))
    assert not CODELISTS.states(method_not_stated, "lvef_echo", "lvef_method_not_stated")
    assert site(f"{LOINC},10230-1,lvef_echo,always an echo here\n").states(method_not_stated, "lvef_echo")
    donor = site(f"{KCD},Z94.8,hsct_donor_not_stated,\n").statements(concept((KCD, "Z94.8")))
    assert donor == (("hsct_donor_not_stated", True),)


def test_a_sites_look_alike_silences_hints_as_ours_do(site):
    lists = site(f"{LAB},UCREA,not_serum_creatinine,urine\n")
    assert not lists.hints(concept((LAB, "UCREA"), (LOINC, "35203-9")), "creatinine_serum_any")


def test_one_code_may_state_facts_that_are_true_together(site):
    rows = [f"{LAB},ALLR,{fact},B-ALL in first relapse" for fact in ("b_all", "all_relapse", "relapse_ordinal_first")]
    lists = site("\n".join([*rows, f"{LAB},VIDA,vincristine,", f"{LAB},VIDA,idarubicin,", f"{ICD_10_CM},C91.02,relapse_ordinal_first,"]))
    assert {c for c, _ in lists.statements(concept((LAB, "ALLR")))} == {"b_all", "all_relapse", "relapse_ordinal_first"}
    assert lists.states(concept((LAB, "VIDA")), "vincristine") and lists.states(concept((LAB, "VIDA")), "idarubicin")


def test_what_ours_already_say_may_be_said_again(site):
    assert site(f"{LOINC},2160-0,creatinine_serum_mass,\n").lookup == CODELISTS.lookup


def test_what_our_own_lists_state_together_a_site_may_too():
    facts = [{c for c, decides in said if decides} for said in CODELISTS.lookup.values()]
    pairs = {frozenset(pair) for each in facts for pair in combinations(each, 2)}
    assert pairs and all(together(*pair) for pair in pairs)


def test_together_names_codelists_and_never_a_thing_with_its_opposite():
    named = [fact for table in TOGETHER for line in table for fact in line]
    assert len(named) == len(set(named)) and set(named) <= CODELISTS.concepts
    assert together("b_all", "all_relapse") and together("all_relapse", "b_all")
    for one, other in (("b_all", "t_all"), ("pregnant", "not_pregnant"), ("sex_male", "sex_female"), ("b_all", "vincristine"),
                       ("result_positive", "result_negative"), ("mrd_ngs_marrow", "mrd_ngs_blood"),
                       ("marrow_category_m1", "marrow_category_m2"), ("allogeneic_hsct", "not_allogeneic_hsct")):
        assert not together(one, other) and not together(other, one)


@pytest.mark.parametrize("rows, message", [
    (f"{LAB},1,creatinin_serum_mass,\n", "line 2: no concept is called 'creatinin_serum_mass', did you mean 'creatinine_serum_mass'?"),
    (f"{LAB},1,zzz,\n", "line 2: no concept is called 'zzz': see fhir_mappings/codes"),
    (f"{LAB},1,,\n", "line 2: no concept is called ''"),
    (f"{LAB},1,lansky,\n{LAB},2,lansky,\n{LAB},1,lansky,again\n", "line 4: 1 is already lansky on line 2, keep one row"),
    (f"{KCD},C831,b_all,\n{KCD},C83.1,b_all,\n", "line 3: C83.1 is already b_all on line 2"),
    (f"{LAB},1,b_all,\n{LAB},1,t_all,\n", "line 3: 1 cannot be t_all and, as line 2 says, b_all: keep the one that is true"),
    (f"{LAB},1,lansky,\n\n{LAB},1,karnofsky,\n", "line 4: 1 cannot be karnofsky and, as line 2 says, lansky"),
    (f"{LAB},1,not_serum_creatinine,\n{LAB},1,creatinine_serum_mass,\n", "line 3: 1 cannot be creatinine_serum_mass"),
    (f"{LOINC},2161-8,creatinine_serum_mass,\n", "line 2: 2161-8 is not_serum_creatinine in every hospital"),
    (f"{LOINC},2160-0,creatinine_serum_molar,\n", "so it cannot be creatinine_serum_molar in yours: remove the row"),
    (f"{KCD},C91.0,b_all,\n", "('급성 림프모구성 백혈병 [ALL] / Acute lymphoblastic leukaemia [ALL]' in codes/all_lineage_not_stated.csv)"),
    (f"{OWN},mrd-ngs-marrow,mrd_flow_marrow,\n", "line 2: mrd-ngs-marrow is mrd_ngs_marrow in every hospital"),
    (f"{HIRA_DRUG},52300031,blinatumomab,\n", "9 digits (a spreadsheet drops the leading zero)"),
    (f"{LOINC},2160-1,creatinine_serum_mass,\n", "line 2: 2160-1 is not a LOINC number (check digit 0 expected)"),
    (f"{SNOMED},277571005,b_all,\n", "line 2: 277571005 is not a SNOMED CT identifier (check digit 4 expected)"),
    (f"{KCD},C83.-,lymphoblastic_lymphoma,\n", "line 2: C83.- is a category, list the codes below it one by one"),
    (",BL3120,creatinine_serum_mass,\n", "line 2: a row needs the system and the code as your server sends them"),
    (f"{LAB}, ,creatinine_serum_mass,\n", "line 2: a row needs the system and the code"),
    (f"{LAB},1,lansky\n", "line 2: 3 fields instead of 4"),
    (f"{LAB},1,lansky,a note, with a comma\n", "line 2: 5 fields instead of 4, put quotes around a field that contains a comma"),
    (f'{LAB},1,lansky,"a note\n', "look for a stray quote"),
    (f'{LAB},1,lansky,"two\nlines"\n{LAB},1,lansky,\n', "line 4: 1 is already lansky on line 3"),
])
def test_a_mistake_is_told_with_its_line(site, rows, message):
    with pytest.raises(CodelistError) as told:
        site(rows)
    assert str(told.value).startswith(f"{site.at} line ") and message in str(told.value)


@pytest.mark.parametrize("header", ["", "system;code;concept;note\n", "system,code,concept\n", "code,system,concept,note\n"])
def test_a_wrong_header_is_told(site, header):
    with pytest.raises(CodelistError, match="line 1: the columns must be system,code,concept,note"):
        site(f"{LAB},1,lansky,\n" if header else "", header=header)


@pytest.mark.parametrize("encoding, line", [("cp949", 3), ("utf-16", 1)])
def test_a_file_that_is_not_utf_8_is_told(site, encoding, line):
    with pytest.raises(CodelistError, match=f"line {line}: not UTF-8, save it as 'CSV UTF-8'"):
        site(f"{LAB},1,lansky,\n{LAB},2,karnofsky,외래\n", encoding=encoding)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CodelistError, match="name a file that can be read"):
            read_site_codes(path)


def test_readers_understand_the_sites_codes_once_they_are_in_use(site):
    creatinine = concept((LAB, "BL3120"))
    with codelists.using(site(f"{LAB},BL3120,creatinine_serum_mass,\n")):
        assert codelists.states(creatinine, "creatinine_serum_mass") and codelists.site_systems() == (LAB,)
    assert not codelists.states(creatinine, "creatinine_serum_mass") and codelists.site_systems() == ()
