"""How an EHR opens the checklist: the launch, the way back, and everybody who is not let in."""

from __future__ import annotations

import base64
import time
from urllib.parse import urlsplit

import pytest
import structlog

import hostile_fhir
from hook_calls import ToldTheDay
from hooks import create_app
from hooks.checklist.registration import SCOPE
from signed_calls import PUBLIC_URL
from smart_ehr import CLIENT_ID, CODE, TOKEN, back, challenge_of, ehr, launched, opened

CHILD = "missing-echo"


@pytest.fixture
def it():
    with ehr(CHILD) as running:
        yield running


def sentence(answer):
    """What a clinician reads on the page that says no."""
    assert answer.mimetype == "text/html" and answer.headers["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in answer.headers and answer.headers["Referrer-Policy"] == "no-referrer"
    return answer.text


def test_a_launch_ends_on_the_page_of_the_child_that_the_ehr_names(it):
    browser = it.service()
    told = launched(browser, it)
    assert told["response_type"] == "code" and told["client_id"] == CLIENT_ID and told["scope"] == SCOPE
    assert told["aud"] == it.url and told["launch"] == "l-1" and told["redirect_uri"] == f"{PUBLIC_URL}/app/callback"
    assert told["tenant"] == "7", "what the EHR's own address holds stays in it"
    answer = back(browser, code=CODE, state=told["state"])
    assert answer.status_code == 303
    page = browser.get(urlsplit(answer.location).path, base_url=PUBLIC_URL)
    assert page.status_code == 200 and "INC-08" in page.text and "Ada Weber" in page.text
    (exchange,) = it.exchanges
    assert exchange["grant_type"] == "authorization_code" and exchange["code"] == CODE
    assert challenge_of(exchange["code_verifier"]) == told["code_challenge"] and told["code_challenge_method"] == "S256"
    assert it.authorizations == [""], "an app without a secret sends none"


def test_a_confidential_app_proves_itself(it, monkeypatch):
    monkeypatch.setenv("CHECKLIST_SECRET", "s3cret")
    browser = it.service(app={"client_secret_env": "CHECKLIST_SECRET"})
    opened(browser, it)
    assert it.authorizations == ["Basic " + base64.b64encode(f"{CLIENT_ID}:s3cret".encode()).decode()]
    monkeypatch.delenv("CHECKLIST_SECRET")
    answer = back(browser, code=CODE, state=launched(browser, it)["state"])
    assert answer.status_code == 500 and "not set up completely" in sentence(answer) and "CHECKLIST_SECRET" not in answer.text


def test_addresses_in_the_settings_stand_in_place_of_those_the_server_names(it):
    browser = it.service(app={"authorize_url": f"{it.url}/elsewhere", "token_url": it.url.removesuffix("/fhir") + "/token"})
    answer = browser.get("/app/launch", query_string={"iss": it.url, "launch": "l-1"}, base_url=PUBLIC_URL)
    assert answer.location.startswith(f"{it.url}/elsewhere?")


@pytest.mark.parametrize("issuer", ["https://evil.example/fhir", "http://127.0.0.1:1/fhir", "javascript:alert(1)", "https://ehr.example/fhir?x=1"])
def test_an_ehr_that_is_not_registered_is_not_even_asked(it, issuer):
    answer = it.service().get("/app/launch", query_string={"iss": issuer, "launch": "l-1"}, base_url=PUBLIC_URL)
    assert answer.status_code == 403 and "not registered" in sentence(answer)
    assert issuer not in answer.text
    assert not answer.headers.getlist("Set-Cookie")


def test_the_address_of_the_ehr_may_be_spelled_in_other_ways(it):
    answer = it.service().get("/app/launch", query_string={"iss": f"{it.url}/", "launch": "l-1"}, base_url=PUBLIC_URL)
    assert answer.status_code == 302


def test_without_a_launch_of_the_ehrs_there_is_nothing_to_open(it):
    for asked in ({"iss": it.url}, {"launch": "l-1"}, {}):
        answer = it.service().get("/app/launch", query_string=asked, base_url=PUBLIC_URL)
        assert answer.status_code == 400 and "for an EHR to open" in sentence(answer)


# --- the way back ------------------------------------------------------------------------------------------------------------------


def test_a_launch_belongs_to_the_browser_that_began_it(it):
    service = it.service()
    told = launched(service, it)
    another = service.application.test_client()
    assert "not begun in this browser" in sentence(back(another, code=CODE, state=told["state"]))
    assert "not begun in this browser" in sentence(back(service, code=CODE, state="made-up"))
    assert "not begun in this browser" in sentence(back(service, code=CODE))
    assert not it.exchanges


def test_a_launch_is_good_once(it):
    browser = it.service()
    told = launched(browser, it)
    assert back(browser, code=CODE, state=told["state"]).status_code == 303
    assert "has been used" in sentence(back(browser, code=CODE, state=told["state"]))
    assert len(it.exchanges) == 1


@pytest.mark.parametrize("told", [{"error": "access_denied", "error_description": "<b>nobody</b>"}, {}])
def test_an_ehr_that_says_no(it, told):
    browser = it.service()
    answer = back(browser, state=launched(browser, it)["state"], **told)
    assert answer.status_code == 403 and "did not let the checklist be opened" in sentence(answer)
    assert "nobody" not in answer.text and not it.exchanges


USELESS = {
    "no child": ({"grant": {"patient": None}}, "which child"),
    "a child that is no id": ({"grant": {"patient": "../Patient"}}, "which child"),
    "several children": ({"grant": {"patient": ["a", "b"]}}, "which child"),
    "nobody signed in": ({"grant": {"id_token": None}}, "who you are"),
    "an id_token that is none": ({"grant": {"id_token": "x"}}, "who you are"),
    "for another app": ({"claims": {"aud": "another-app"}}, "who you are"),
    "of yesterday": ({"claims": {"exp": int(time.time()) - 86400}}, "who you are"),
    "the child's mother": ({"claims": {"fhirUser": "RelatedPerson/1"}}, "for clinicians"),
    "the child": ({"claims": {"fhirUser": "Patient/1"}}, "for clinicians"),
    "no FHIR user": ({"claims": {"fhirUser": None}}, "for clinicians"),
    "a user with markup": ({"claims": {"fhirUser": "Practitioner/<b>"}}, "for clinicians"),
    "no token": ({"grant": {"access_token": None}}, "no access token (200)"),
    "a token that is no Bearer": ({"grant": {"token_type": "mac"}}, "no access token (200)"),
    "a used code": ({"token_fault": hostile_fhir.status(400, {"error": "invalid_grant"})}, "no access token (400: invalid_grant)"),
    "an error with a story": ({"token_fault": hostile_fhir.status(400, {"error": "Müller, born 2015"})}, "no access token (400)"),
    "a web page": ({"token_fault": hostile_fhir.web_page}, "no access token (200)"),
    "a server in trouble": ({"token_fault": hostile_fhir.status(503)}, "no access token (503)"),
    "a line that breaks": ({"token_fault": hostile_fhir.hang_up}, "connection to the FHIR server failed"),
}


@pytest.mark.parametrize("behaviour, words", USELESS.values(), ids=USELESS)
def test_a_grant_that_is_of_no_use_opens_nothing(behaviour, words):
    with ehr(CHILD, **behaviour) as it:
        browser = it.service()
        answer = back(browser, code=CODE, state=launched(browser, it)["state"])
    assert answer.status_code in (403, 502) and words in sentence(answer)
    assert "Müller" not in answer.text and not [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("visit")]


@pytest.mark.parametrize("user", ["Practitioner/7", "{ehr}/Practitioner/7", "PractitionerRole/7", "https://directory.example/r4/Practitioner/7"])
def test_a_clinician_however_named_is_let_in(user):
    with ehr(CHILD) as it:
        it.claims = {"fhirUser": user.format(ehr=it.url)}
        opened(it.service(), it)


def test_clocks_may_differ_by_a_minute():
    with ehr(CHILD, claims={"exp": int(time.time()) - 30}) as it:
        opened(it.service(), it)


def test_the_ehr_is_asked_once_where_to_sign_in():
    told = []
    with ehr(CHILD) as it:
        kept = type(it).__call__
        it.__class__ = type("Heard", (type(it),), {"__call__": lambda self, talk: (told.append(talk.path), kept(self, talk))[1]})
        browser = it.service()
        for _ in range(3):
            opened(browser, it)
    assert sum(path.endswith("smart-configuration") for path in told) == 1


def test_nor_is_it_asked_again_at_once_when_it_does_not_say():
    told = []
    with ehr(CHILD) as it:
        it.__class__ = type("Silent", (type(it),), {"__call__": lambda self, talk: (told.append(talk.path), hostile_fhir.status(404)(talk))})
        browser = it.service()
        for _ in range(3):
            answer = browser.get("/app/launch", query_string={"iss": it.url, "launch": "l"}, base_url=PUBLIC_URL)
            assert answer.status_code == 502 and "names no authorization endpoint" in sentence(answer)
    assert len(told) == 1


def test_an_answer_that_says_yes_and_no_opens_nothing(it):
    browser = it.service()
    answer = back(browser, code=CODE, error="access_denied", state=launched(browser, it)["state"])
    assert answer.status_code == 403 and "did not let the checklist be opened" in sentence(answer)


# --- what is remembered ------------------------------------------------------------------------------------------------------------


def test_the_token_is_kept_sealed_and_the_key_only_in_the_browser(it, tmp_path):
    browser = it.service(database=f"sqlite:///{tmp_path}/state.sqlite3")
    with structlog.testing.capture_logs() as logs:
        path = opened(browser, it)
        browser.get(path, base_url=PUBLIC_URL)
    key = browser.get_cookie("visit", domain="cds.example", path=path).value
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert path.rpartition("/")[2].encode() in kept
    for secret in (TOKEN, key, CHILD, "Weber"):
        assert secret.encode() not in kept
        assert secret not in str(logs)
    assert it.url in str(logs)


def test_cookies_are_for_this_visit_over_tls_and_for_no_script(it):
    browser = it.service()
    answer = back(browser, code=CODE, state=launched(browser, it)["state"])
    (cookie,) = (c for c in answer.headers.getlist("Set-Cookie") if c.startswith("visit="))
    assert "; Secure; HttpOnly;" in cookie and "SameSite=Lax" in cookie and f"Path={urlsplit(answer.location).path}" in cookie
    assert "Max-Age" not in cookie, "gone when the browser is closed"


def test_a_frame_is_for_the_pages_of_the_ehr_alone(it):
    browser = it.service(app={"embedded_by": ("https://ehr.example",)})
    answer = back(browser, code=CODE, state=launched(browser, it)["state"])
    (cookie,) = (c for c in answer.headers.getlist("Set-Cookie") if c.startswith("visit="))
    assert "SameSite=None" in cookie and "Partitioned" in cookie and "Secure" in cookie
    page = browser.get(urlsplit(answer.location).path, base_url=PUBLIC_URL)
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors https://ehr.example")
    alone = it.service()
    assert alone.get(opened(alone, it), base_url=PUBLIC_URL).headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize("address", ["/app/visits/made-up", "/app/visits/" + "0" * 40, "/app", "/app/", "/app/visits", "/app/nothing/here"])
def test_an_address_alone_opens_nothing(it, address):
    browser = it.service()
    opened(browser, it)
    assert browser.get(address, base_url=PUBLIC_URL, follow_redirects=True).status_code in (403, 404)


def test_a_visit_ends_with_its_token():
    with ehr(CHILD, grant={"expires_in": 1}) as it:
        browser = it.service()
        path = opened(browser, it)
        time.sleep(1.1)
        answer = browser.get(path, base_url=PUBLIC_URL)
    assert answer.status_code == 403 and "has ended" in sentence(answer)


def test_a_visit_ends_after_an_hour_however_long_the_token_lasts(it, monkeypatch):
    it.grant = {"expires_in": 10**9}
    browser = it.service()
    path = opened(browser, it)
    now = time.time()
    monkeypatch.setattr("hooks.checklist.visits.time.time", lambda: now + 3590)
    assert browser.get(path, base_url=PUBLIC_URL).status_code == 200
    monkeypatch.setattr("hooks.checklist.visits.time.time", lambda: now + 3610)
    assert browser.get(path, base_url=PUBLIC_URL).status_code == 403


def test_a_visit_of_an_ehr_that_is_no_longer_registered_has_ended(tmp_path):
    with ehr(CHILD) as it, ehr(CHILD) as other:
        kept = {"database": f"sqlite:///{tmp_path}/state.sqlite3"}
        browser = it.service(**kept)
        path = opened(browser, it)
        after = other.service(**kept)
        after.set_cookie("visit", browser.get_cookie("visit", domain="cds.example", path=path).value, domain="cds.example", path=path)
        assert "has ended" in sentence(after.get(path, base_url=PUBLIC_URL))


def test_a_visit_is_of_the_browser_that_opened_it(it):
    service = it.service()
    path = opened(service, it)
    assert "another browser" in sentence(service.application.test_client().get(path, base_url=PUBLIC_URL))
    other = opened(service, it)
    stranger = service.application.test_client()
    stranger.set_cookie("visit", service.get_cookie("visit", domain="cds.example", path=other).value, domain="cds.example", path=path)
    assert "another browser" in sentence(stranger.get(path, base_url=PUBLIC_URL)), "the key of one visit does not open another"


def test_in_development_every_ehr_on_this_machine_may_open_it(it):
    it.claims = {"aud": "relapse-cds"}
    browser = create_app(ToldTheDay(dev=True, database="sqlite://")).test_client()
    sent = browser.get("/app/launch", query_string={"iss": it.url, "launch": "l-1"})
    assert sent.status_code == 302 and "client_id=relapse-cds" in sent.location
    assert browser.get("/app/launch", query_string={"iss": "https://ehr.example/fhir", "launch": "l-1"}).status_code == 403
