"""What was sent with the call: data, nothing, a part, an error. These differ, and none becomes another.

"Nothing" may be missing; "unknown" is never nothing, and nothing that went wrong ever speaks for the trial.
"""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappings.sources import SEARCHES
from hook_calls import EHR, TOKEN, Chart, assessment, by_id, client, favourable, playing, refusal, tell, unanswered
from prefetch_states import NOTHING, PARTIAL, UNKNOWN, put

OPTIONAL = tuple(search.name for search in SEARCHES if not search.required)
TELLING = ("month-only", "two-lineages", "high-creatinine", "ph-positive")
CHARTS = {child: Chart(child) for child in (*TELLING, "standard-risk", "asthma")}
COMPLETE = {child: chart.prefetch() for child, chart in CHARTS.items()}
CHART, SENT = CHARTS["standard-risk"], COMPLETE["standard-risk"]


def rows(table):
    return pytest.mark.parametrize("row", table.values(), ids=table)


def judged(chart, **changes):
    return assessment(tell(client(), chart.call(put(COMPLETE[chart.id], **changes))))


def creatinine(**changes):
    return by_id(judged(CHART, **changes))["INC-06"]


@rows(NOTHING)
def test_nothing_is_missing(row):
    found = creatinine(laboratory=row)
    assert (found["truth"], found["reason"]) == ("unknown", "missing")
    assert unanswered(judged(CHART, **dict.fromkeys(OPTIONAL, row))) == set()


@rows(UNKNOWN)
def test_unknown_is_not_nothing(row):
    found = creatinine(laboratory=row)
    assert (found["truth"], found["reason"]) == ("unknown", "not_looked_up")
    assert unanswered(judged(CHART, **dict.fromkeys(OPTIONAL, row))) == set(OPTIONAL)


CUT_SHORT = {name: row for name, row in PARTIAL.items() if name in ("first page", "first page, its link no list", "links that are none", "total larger")}


@rows(CUT_SHORT)
def test_what_was_cut_short_is_shown_and_decides_nothing_that_a_newer_result_could_change(row):
    partial = judged(CHART, laboratory=row)
    assert unanswered(partial) == {"laboratory"}
    renal = by_id(partial)["INC-06"]
    assert (renal["truth"], renal["reason"]) == ("unknown", "not_looked_up") and "creatinine" in renal["words"]


@rows(CUT_SHORT)
def test_nor_does_a_score_of_one_scale_among_several(row):
    assert by_id(judged(CHART, examinations=row))["INC-09"]["truth"] == "unknown"


@rows(PARTIAL)
def test_what_did_not_come_is_unknown(row):
    without = deepcopy(SENT)
    without["laboratory"]["entry"] = [e for e in without["laboratory"]["entry"] if e["resource"]["code"]["text"] != "Creatinine"]
    found = by_id(assessment(tell(client(), CHART.call(put(without, laboratory=row)))))["INC-06"]
    assert (found["truth"], found["reason"]) == ("unknown", "not_looked_up")


@rows({name: row for name, row in PARTIAL.items() if name not in CUT_SHORT})
def test_what_came_beside_withheld_or_broken_entries_stands(row):
    assert by_id(judged(CHART, laboratory=row))["INC-06"]["truth"] == "met"


@rows(PARTIAL)
def test_what_is_found_once_for_good_stands_though_it_came_in_part(row):
    assert by_id(judged(Chart("ph-positive"), leukaemia=row))["EXC-02"]["truth"] == "met"


@pytest.mark.parametrize("row", [*UNKNOWN.values(), *PARTIAL.values()], ids=[*UNKNOWN, *PARTIAL])
def test_an_error_never_speaks_for_the_trial(row):
    for child in TELLING:
        chart = CHARTS[child]
        complete = favourable(judged(chart))
        for key in OPTIONAL:
            assert favourable(judged(chart, **{key: row})) <= complete, (child, key)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.fixed_dictionaries({}, optional={key: st.sampled_from(sorted(NOTHING | UNKNOWN | PARTIAL)) for key in OPTIONAL}))
def test_every_mixture_is_answered_and_each_key_stands_for_itself(states):
    table = NOTHING | UNKNOWN | PARTIAL
    found = judged(CHART, **{key: table[state] for key, state in states.items()})
    assert unanswered(found) == {key for key, state in states.items() if state not in NOTHING}
    assert favourable(found) <= favourable(judged(CHART))


def with_a_newer_creatinine(mode):
    """9.9 mg/dL, the day after the one on record."""
    sent = deepcopy(SENT)
    entries = sent["laboratory"]["entry"]
    newer = deepcopy(next(e for e in entries if e["resource"]["code"]["text"] == "Creatinine"))
    newer["resource"] |= {"id": "newer", "effectiveDateTime": "2025-07-21", "valueQuantity": {**newer["resource"]["valueQuantity"], "value": 9.9}}
    newer["search"] = {"mode": mode}
    entries.append(newer)
    del sent["laboratory"]["total"]
    return assessment(tell(client(), CHART.call(sent)))


def test_only_matches_count():
    """What came along as an extra is not a result of the search."""
    assert by_id(with_a_newer_creatinine("match"))["INC-06"]["truth"] == "not_met"
    assert with_a_newer_creatinine("include") == judged(CHART), "it is as if it had not come"
    assert by_id(with_a_newer_creatinine("outcome"))["INC-06"]["truth"] != "not_met"


def test_included_resources_do_not_make_up_the_total():
    sent = deepcopy(SENT)
    sent["examinations"]["total"] = len(sent["examinations"]["entry"]) + 1
    sent["examinations"]["entry"].append({"resource": {"resourceType": "Practitioner", "id": "p"}, "search": {"mode": "include"}})
    assert unanswered(assessment(tell(client(), CHART.call(sent)))) == {"examinations"}


# --- the two keys without which nothing can be judged ------------------------------------------------------------------


@rows({name: row for name, row in (NOTHING | UNKNOWN).items() if name != "an error entry beside results"})
def test_a_child_who_did_not_come_is_412(row):
    answer = tell(client(), CHART.call(put(SENT, patient=row)))
    assert answer.status_code == 412 and refusal(answer).startswith("patient: ")


@rows(UNKNOWN)
def test_a_problem_list_that_did_not_come_is_412_and_not_an_empty_answer(row):
    for chart in (CHART, Chart("asthma")):
        answer = tell(client(), chart.call(put(chart.prefetch(), conditions=row)))
        assert answer.status_code == 412 and refusal(answer).startswith("conditions: ")


@rows(NOTHING)
def test_a_problem_list_without_entries_is_no_card(row):
    assert tell(client(), CHART.call(put(SENT, conditions=row))).json == {"cards": []}


@rows(PARTIAL)
def test_a_part_of_the_problem_list_shows_leukaemia_or_nothing(row):
    """Leukaemia that is seen is seen; leukaemia that is not seen may be on the part that did not come."""
    assert "conditions" in unanswered(judged(CHART, conditions=row))
    asthma = Chart("asthma")
    answer = tell(client(), asthma.call(put(asthma.prefetch(), conditions=row)))
    assert answer.status_code == 412 and refusal(answer).startswith("conditions: ")


def test_a_patient_in_a_bundle_of_one_is_the_patient():
    sent = {**SENT, "patient": {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": SENT["patient"]}]}}
    assert assessment(tell(client(), CHART.call(sent))) == judged(CHART)


# --- with a server at hand -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["absent", "first page, empty", "counted, not sent"])
def test_what_did_not_come_or_came_in_part_is_fetched(state):
    with playing(CHART) as ehr:
        answer = tell(client(), CHART.call(put(SENT, laboratory=UNKNOWN[state]), fhirServer=EHR, fhirAuthorization=TOKEN))
    assert ehr.asked == ["laboratory"]
    assert assessment(answer) == judged(CHART)


@pytest.mark.parametrize("state", ["a bare error", "a bare fatal error", "an error entry"])
def test_a_search_that_failed_at_the_ehr_is_not_repeated(state):
    with playing(CHART) as ehr:
        answer = tell(client(), CHART.call(put(SENT, laboratory=UNKNOWN[state]), fhirServer=EHR, fhirAuthorization=TOKEN))
    assert ehr.asked == [] and unanswered(assessment(answer)) == {"laboratory"}


@rows(NOTHING)
def test_a_search_that_found_nothing_is_not_repeated(row):
    with playing(CHART) as ehr:
        tell(client(), CHART.call(put(SENT, laboratory=row), fhirServer=EHR, fhirAuthorization=TOKEN))
    assert ehr.asked == []
