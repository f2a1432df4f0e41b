"""The conversation: an EHR opens a chart, the service answers with one card or with none.

No card means one thing only: this trial is not about this child. What cannot be judged is said, never passed over.
What a call may look like is in `test_conversations_requests`, the prefetch in `test_conversations_prefetch`, other
children's data in `test_conversations_patients`, the FHIR server's faults in `test_conversations_fetching`.
"""

from __future__ import annotations

import hooks.answers
import hooks.cards
import hooks.gather
import pytest

from cds_hooks_schema import ASSESSMENT, check_discovery
from hook_calls import EHR, RELAPSED, SERVICE, TOKEN, Chart, assessment, client, favourable, playing, refusal, same, tell
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.demo.children import CHILDREN
from signed_calls import EC_JWK

every_child = pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.id)


def test_discovery_says_what_we_want_to_be_sent():
    answer = client().get("/cds-services")
    check_discovery(answer.json)
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "application/json", "no-store")
    services = {service["id"]: service["hook"] for service in answer.json["services"]}
    assert services["nct05827549-patient-view"] == "patient-view"
    titles = {service["hook"]: service["title"].rpartition(": ")[2] for service in answer.json["services"]}
    assert titles == {"patient-view": "on opening a chart", "encounter-start": "at the start of an encounter",
                      "order-select": "on choosing an order", "order-sign": "on signing orders"}  # fmt: skip


@every_child
def test_a_complete_prefetch_needs_no_server(child):
    chart = Chart(child.id)
    with playing(chart) as ehr:
        answer = tell(client(), chart.call(chart.prefetch()))
    assert ehr.asked == []
    if child.overall == "not_applicable":
        assert answer.json == {"cards": []}
    else:
        assert assessment(answer)["not_looked_up"] == [] and assessment(answer)["issues"] == []


@every_child
def test_what_is_fetched_gives_the_card_that_a_prefetch_gives(child):
    chart = Chart(child.id)
    with playing(chart) as ehr:
        fetched = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    assert same(fetched.json, tell(client(), chart.call(chart.prefetch())).json)
    assert len(ehr.asked) == len(set(ehr.asked)), "nothing is asked twice"


def test_a_bystander_costs_two_requests_and_gets_no_card():
    chart = Chart("asthma")
    with playing(chart) as ehr:
        answer = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    assert answer.json == {"cards": []} and sorted(ehr.asked) == ["conditions", "patient"]


def test_a_bystander_whose_first_look_was_sent_costs_none():
    chart = Chart("asthma")
    sent = {key: chart.prefetch()[key] for key in ("patient", "conditions")}
    with playing(chart) as ehr:
        assert tell(client(), chart.call(sent, fhirServer=EHR)).json == {"cards": []}
    assert ehr.asked == []


def test_only_what_was_not_sent_is_fetched():
    chart = Chart("screening-complete")
    sent = chart.prefetch()
    left_out = {"examinations", "answers"}
    with playing(chart) as ehr:
        answer = tell(client(), chart.call({k: v for k, v in sent.items() if k not in left_out}, fhirServer=EHR, fhirAuthorization=TOKEN))
    assert set(ehr.asked) == left_out
    assert same(answer.json, tell(client(), chart.call(sent)).json)


@pytest.mark.parametrize("user", ["Patient/asthma", "RelatedPerson/mother"])
def test_a_portal_gets_no_card(user):
    """Screening for a trial is a clinician's conversation: a patient or proxy who opens the chart sees nothing."""
    chart = Chart("screening-complete")
    context = {"userId": user, "patientId": chart.id}
    with playing(chart) as ehr:
        answer = tell(client(), chart.call(chart.prefetch(), context=context, fhirServer=EHR))
    assert answer.json == {"cards": []} and ehr.asked == []


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/haemato-oncology"])
def test_a_clinician_gets_the_card(user):
    chart = Chart("screening-complete")
    assert assessment(tell(client(), chart.call(chart.prefetch(), context={"userId": user, "patientId": chart.id})))


@pytest.mark.parametrize("blocked", ["high-creatinine", "ph-positive"])
def test_a_blocked_child_gets_a_card_unless_the_site_wants_none(blocked):
    chart = Chart(blocked)
    call = chart.call(chart.prefetch())
    assert assessment(tell(client(), call))["overall"] == "not_eligible"
    assert tell(client(card_when_not_eligible=False), call).json == {"cards": []}


@pytest.mark.parametrize("id", ["screening-complete", "missing-echo"])
def test_the_setting_silences_nobody_else(id):
    chart = Chart(id)
    call = chart.call(chart.prefetch())
    assert same(tell(client(card_when_not_eligible=False), call).json, tell(client(), call).json)


@pytest.mark.parametrize("id", RELAPSED)
def test_the_assessment_is_on_the_card_only_where_the_site_wants_it(id):
    chart = Chart(id)
    call = chart.call(chart.prefetch())
    (plain,) = tell(client(assessment_extension=False), call).json["cards"]
    (full,) = tell(client(), call).json["cards"]
    assert "extension" not in plain and set(full) - set(plain) == {"extension"} and set(full["extension"]) == {ASSESSMENT}


def test_the_settings_are_those_of_a_hospital_unless_told_otherwise():
    caller = CdsClient(name="ehr", issuer="https://ehr.example", keys=(EC_JWK,))
    assert (Config().clients, Config().card_when_not_eligible, Config().dev) == ((), True, False)
    assert (caller.fhir_servers, caller.assessment_extension) == ((), False)


def test_every_card_has_its_own_uuid():
    chart = Chart("screening-complete")
    call = chart.call(chart.prefetch())
    assert len({tell(client(), call).json["cards"][0]["uuid"] for _ in range(5)}) == 5


@pytest.mark.parametrize("id", RELAPSED)
def test_no_card_says_eligible_or_names_a_treatment(id):
    """Wording 5.4: "rule gives", "found in the chart", "please confirm"; the document's own sentences are quoted apart."""
    chart = Chart(id)
    (card,) = tell(client(), chart.call(chart.prefetch())).json["cards"]
    assert card["summary"].startswith("NCT05827549: ") and card["source"]["topic"]["code"].isalnum()
    detail = card["detail"].lower()
    detail = detail.replace("neither establishes eligibility", "")
    ours = "\n".join(line for line in detail.splitlines() if "*“" not in line)
    for word in ("eligible", "eligibility", "qualif", "should enrol", "recommended", "safe"):
        assert word not in card["summary"].lower() and word not in ours, word
    assert detail.startswith("decision support from chart data, text version ")
    assert "the investigator decides." in detail.splitlines()[0]


@pytest.mark.parametrize(("module", "name"), [(hooks.answers, "gather"), (hooks.answers, "read_patient"), (hooks.answers, "assess"), (hooks.answers, "cards")])
@pytest.mark.parametrize("error", [RuntimeError("a name, Juni Birkenhain"), KeyError("Juni"), RecursionError(), AssertionError()])
def test_an_exception_is_a_500_and_never_no_card(monkeypatch, module, name, error):
    def broken(*_, **__):
        raise error

    chart = Chart("screening-complete")
    call = chart.call(chart.prefetch())
    monkeypatch.setattr(module, name, broken)
    answer = tell(client(), call)
    assert answer.status_code == 500 and "cards" not in answer.text
    assert "Juni" not in answer.text and type(error).__name__ not in refusal(answer)


@pytest.mark.parametrize("path", [SERVICE, f"{SERVICE}/"])
def test_both_spellings_of_a_path_are_answered_without_a_redirect(path):
    """An EHR's registered address must match exactly, and a redirect loses the body of a POST."""
    chart = Chart("screening-complete")
    assert assessment(tell(client(), chart.call(chart.prefetch()), path))
    assert client().get("/cds-services/").json == client().get("/cds-services").json


def test_calls_leave_no_trace_in_later_calls():
    """One service, many charts: each child's card is that of a service that has seen no other."""
    service = client()
    for id in (*RELAPSED, *reversed(RELAPSED)):
        chart = Chart(id)
        call = chart.call(chart.prefetch())
        found = assessment(tell(service, call))
        assert found == assessment(tell(client(), call)) and found["patient"] == f"Patient/{id}"
        assert favourable(found)
