"""What a call must look like. Whatever is missing, mistyped or too much is named and refused; what is unknown is ignored.

Every refusal is an OperationOutcome in plain words, never stored, without a traceback: `tell` sees to that each time.
"""

from __future__ import annotations

import io
import json

import pytest

from hook_calls import EHR, HOOK_INSTANCE, SERVICE, TOKEN, Chart, assessment, client, owed_to_every_caller, playing, refusal, tell
from hooks.request import MOST_ENTRIES


def whole_call(**members):
    chart = Chart("screening-complete")
    return {**chart.call(chart.prefetch()), **members}


def context(**members):
    told = {"userId": "Practitioner/1", "patientId": "screening-complete", **members}
    return {"context": {name: value for name, value in told.items() if value is not None}}


@pytest.mark.parametrize(("change", "named"), [
    ({"hook": None}, "hook"),
    ({"hook": ""}, "hook"),
    ({"hook": 5}, "hook"),
    ({"hook": ["patient-view"]}, "hook"),
    ({"hook": "order-sign"}, "hook"),
    ({"hook": "Patient-View"}, "hook"),
    ({"hookInstance": None}, "hookInstance"),
    ({"hookInstance": ""}, "hookInstance"),
    ({"hookInstance": 5}, "hookInstance"),
    ({"hookInstance": "not-a-uuid"}, "hookInstance"),
    ({"hookInstance": HOOK_INSTANCE + "0"}, "hookInstance"),
    ({"context": None}, "context"),
    ({"context": []}, "context"),
    ({"context": "Patient/1"}, "context"),
    ({"context": {}}, "context.patientId"),
    (context(patientId=None), "context.patientId"),
    (context(patientId=12724066), "context.patientId"),
    (context(patientId=""), "context.patientId"),
    (context(patientId="Patient/1"), "context.patientId"),
    (context(patientId="1?_count=1"), "context.patientId"),
    (context(patientId="x" * 65), "context.patientId"),
    (context(patientId="screening-complete\n"), "context.patientId"),
    (context(userId=None), "context.userId"),
    (context(userId=7), "context.userId"),
    (context(userId="7"), "context.userId"),
    (context(userId="https://ehr.example/fhir/Practitioner/7"), "context.userId"),
    (context(userId="Practitioner/7\n"), "context.userId"),
    *[(context(userId=user), "context.userId") for user in ("Device/1", "patient/1", "Person/1", "Group/1", "PRACTITIONER/1", "Practitioner/", "/1")],
    ({"prefetch": []}, "prefetch"),
    ({"prefetch": "none"}, "prefetch"),
    ({"fhirServer": 5}, "fhirServer"),
    ({"fhirServer": [EHR]}, "fhirServer"),
    ({"fhirServer": EHR, "fhirAuthorization": "token"}, "fhirAuthorization"),
    ({"fhirServer": EHR, "fhirAuthorization": {**TOKEN, "access_token": ""}}, "fhirAuthorization.access_token"),
    ({"fhirServer": EHR, "fhirAuthorization": {**TOKEN, "access_token": 5}}, "fhirAuthorization.access_token"),
    ({"fhirServer": EHR, "fhirAuthorization": {**TOKEN, "token_type": "MAC"}}, "fhirAuthorization.token_type"),
    ({"fhirServer": EHR, "fhirAuthorization": {**TOKEN, "patient": "asthma"}}, "fhirAuthorization.patient"),
    *[({"fhirServer": EHR, "fhirAuthorization": {**TOKEN, "expires_in": seconds}}, "fhirAuthorization.expires_in")
      for seconds in ("300", 300.5, True, [], {}, None)],
    *[({"fhirServer": EHR, "fhirAuthorization": {k: v for k, v in TOKEN.items() if k != left_out}}, f"fhirAuthorization.{left_out}") for left_out in TOKEN],
    *[({"fhirServer": EHR, "fhirAuthorization": {**TOKEN, words: value}}, f"fhirAuthorization.{words}")
      for words in ("scope", "subject") for value in (5, [], ["patient/*.rs"], {}, None, "")],
    ({"fhirServer": EHR, "fhirAuthorization": {**TOKEN, "patient": 5}}, "fhirAuthorization.patient"),
    ({"fhirAuthorization": TOKEN}, "fhirServer"),
])  # fmt: skip
def test_a_field_that_is_missing_or_mistyped_is_named(change, named):
    call = {name: value for name, value in whole_call(**change).items() if value is not None}
    with playing(Chart("screening-complete")) as ehr:
        answer = tell(client(), call)
    assert answer.status_code == 400 and refusal(answer).startswith(f"{named}: "), answer.text
    assert ehr.asked == []


@pytest.mark.parametrize("change", [
    {"hookInstance": "d1577c69-dfbe-11ec-ba6d-3e05e953b2ea"},  # a version 1 UUID, as in Epic's samples
    {"hookInstance": HOOK_INSTANCE.upper()},
    {"extension": {"com.epic.cdshooks.request.bpa-trigger-action": "18"}},
    {"unheard-of": [None, {"deep": []}]},
    context(encounterId="e1", somethingNew={"a": 1}),
    {"fhirServer": None},
    {"fhirServer": EHR, "fhirAuthorization": {**TOKEN, "patient": "screening-complete", "scope": "Patient.Read (R4)"}},
])  # fmt: skip
def test_what_we_do_not_know_is_ignored(change):
    with playing(Chart("screening-complete")):
        assert assessment(tell(client(), whole_call(**change), by_the_book=None not in change.values()))["not_looked_up"] == []


def test_who_may_be_the_user_is_told():
    """A hook is fired by a person, and of four types only; what comes of a patient's own is no cards, not a refusal."""
    answer = tell(client(), whole_call(**context(userId="Device/1")))
    assert all(kind in refusal(answer) for kind in ("Practitioner/", "PractitionerRole/", "Patient/", "RelatedPerson/"))


WHOLE = json.dumps(whole_call())


@pytest.mark.parametrize("body", [
    b"", b"null", b"[]", b'"patient-view"', b"{", b'{"hook": "patient-view",}', b"\xff\xfe{}", b"hook=patient-view",
    b'{"hook": "patient-view", "hook": "patient-view"}',
    WHOLE.replace('"patient-view"', '"patient-view", "extension": {"x": NaN}', 1).encode(),
    WHOLE.replace('"patient-view"', '"patient-view", "extension": {"x": -Infinity}', 1).encode(),
    WHOLE.replace('"patient-view"', '"patient-view", "extension": {"x": 1e9999999999999999999}', 1).encode(),
    WHOLE.replace('"patient-view"', '"patient-view", "extension": ' + "[" * 100_000 + "]" * 100_000, 1).encode(),
    WHOLE.replace('"id": "screening-complete"', '"id": "screening-complete", "id": "asthma"', 1).encode(),
    WHOLE[:-1].encode(),
], ids=lambda body: repr(body[:20]))  # fmt: skip
def test_what_is_no_json_object_is_refused(body):
    answer = client().post(SERVICE, data=body, content_type="application/json")
    owed_to_every_caller(answer)
    assert answer.status_code == 400 and "JSON" in refusal(answer)


def test_a_byte_order_mark_or_a_charset_is_no_reason_to_refuse():
    answer = client().post(SERVICE, data=WHOLE.encode(), content_type="application/json; charset=utf-8")
    assert assessment(answer)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data; boundary=x", None])
def test_another_content_type_is_415(content_type):
    answer = client().post(SERVICE, data=WHOLE, content_type=content_type)
    owed_to_every_caller(answer)
    assert answer.status_code == 415 and "application/json" in refusal(answer)


def test_a_body_beyond_the_limit_is_413():
    call = whole_call()
    size = len(json.dumps(call))
    assert tell(client(max_body_bytes=size + 2_000), call).status_code == 200
    answer = tell(client(max_body_bytes=size - 1), call)
    assert answer.status_code == 413 and "too large" in refusal(answer)


def chunked(service, body):
    """A body whose length is not told beforehand, as gunicorn hands it on."""
    return service.post(SERVICE, input_stream=io.BytesIO(body), content_type="application/json",
                        headers={"Transfer-Encoding": "chunked"}, environ_overrides={"wsgi.input_terminated": True})  # fmt: skip


@pytest.mark.parametrize(("room", "status"), [(2_000, 200), (1, 200), (0, 200), (-1, 413), (-2_000, 413)])
@pytest.mark.parametrize("end", [b"", b" " * 100_000], ids=["", "and much white space behind"])
def test_a_chunked_body_has_the_same_limit(room, status, end):
    """It was cut off at the limit, and what was left of it read."""
    body = json.dumps(whole_call()).encode() + end
    answer = chunked(client(max_body_bytes=len(body) + room), body)
    owed_to_every_caller(answer)
    assert answer.status_code == status and ("too large" in refusal(answer) if status == 413 else answer.json["cards"])


@pytest.mark.parametrize(("counts", "status"), [((MOST_ENTRIES,), 200), ((MOST_ENTRIES + 1,), 413), ((MOST_ENTRIES, 1), 413)])
def test_more_entries_than_any_chart_has_are_refused(counts, status):
    """Millions of empty ones fit into a body, and each takes as long as a result."""
    call = whole_call()
    for key in call["prefetch"].keys() - {"patient", "conditions"}:
        call["prefetch"][key] = None
    needed = len(call["prefetch"]["conditions"]["entry"])
    for key, count in zip(("laboratory", "procedures"), counts, strict=False):
        call["prefetch"][key] = {"resourceType": "Bundle", "type": "searchset", "entry": [{}] * (count - (needed if key == "laboratory" else 0))}
    answer = tell(client(max_body_bytes=64 * 1024 * 1024), call)
    assert answer.status_code == status, answer.text
    if status == 413:
        assert f"{MOST_ENTRIES:,}" in refusal(answer)


def test_of_draft_orders_as_well():
    orders = {"resourceType": "Bundle", "entry": [{}] * (MOST_ENTRIES + 1)}
    call = whole_call(hook="order-sign", **context(draftOrders=orders))
    assert tell(client(), call, "/cds-services/nct05827549-order-sign").status_code == 413


def test_sixteen_mebibytes_is_the_limit_unless_configured():
    call = whole_call(padding="x" * (16 * 1024 * 1024))
    assert tell(client(), call).status_code == 413
    assert tell(client(max_body_bytes=32 * 1024 * 1024), call).status_code == 200


@pytest.mark.parametrize("path", ["/cds-services/nct00000000-patient-view", "/cds-services/..%2f", "/cds-services/NCT05827549-patient-view"])
def test_an_unknown_service_is_404(path):
    answer = tell(client(), whole_call(), path)
    assert answer.status_code == 404 and "/cds-services" in refusal(answer)


@pytest.mark.parametrize("path", ["/", "/cds-services/a/b", "/favicon.ico", "/.env", "/cds-services/nct05827549-patient-view/analytics"])
def test_an_unknown_address_is_404(path):
    answer = client().get(path)
    owed_to_every_caller(answer)
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_is_405(method):
    answer = client().open(SERVICE, method=method, json=whole_call())
    owed_to_every_caller(answer)
    assert answer.status_code == 405
    assert client().post("/cds-services", json={}).status_code == 405
    assert client().head("/cds-services").status_code == 200


@pytest.mark.parametrize(("sent", "named"), [
    (None, "patient"),
    ({}, "patient"),
    (("conditions", "laboratory"), "patient"),
    (("patient", "laboratory"), "conditions"),
])  # fmt: skip
def test_without_the_child_or_the_problem_list_it_is_412_naming_the_key(sent, named):
    chart = Chart("screening-complete")
    prefetch = sent and {key: chart.prefetch()[key] for key in sent}
    answer = tell(client(), chart.call(prefetch))
    assert answer.status_code == 412 and refusal(answer).startswith(f"{named}: ")
    template = client().get("/cds-services").json["services"][0]["prefetch"][named]
    assert template in refusal(answer), "it says what to send"
