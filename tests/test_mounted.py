"""A service that its proxy shows below a path of the host: every link leads there, and tokens are for addresses there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from hook_calls import SERVICE, Chart
from hooks import create_app
from hooks.cds_client import CdsClient
from hooks.config import Config
from signed_calls import EC_JWK, ISSUER, token
from smart_ehr import CODE, ehr

BELOW = "https://hospital.example/tools/cds"


@pytest.mark.parametrize("path", ["/about/nct05827549", "/tools/cds/about/nct05827549"], ids=["taken off", "left on"])
def test_links_of_a_page_lead_below_the_path(path):
    page = create_app(Config(public_url=BELOW, database="sqlite://")).test_client().get(path)
    assert page.status_code == 200
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page.text)
    assert len(links) > 3 and all(link.startswith("/tools/cds/about/") for link in links)


def test_the_checklist_too():
    with ehr("missing-echo") as it:
        browser = it.service(public_url=BELOW)
        sent = browser.get("/app/launch", query_string={"iss": it.url, "launch": "l"}, base_url="https://hospital.example/")
        assert "redirect_uri=https%3A%2F%2Fhospital.example%2Ftools%2Fcds%2Fapp%2Fcallback" in sent.location
        (cookie,) = sent.headers.getlist("Set-Cookie")
        assert "Path=/tools/cds/app/callback" in cookie
        state = re.search(r"state=(\w+)", sent.location)[1]
        back = browser.get("/tools/cds/app/callback", query_string={"code": CODE, "state": state}, base_url="https://hospital.example/")
        assert back.location.startswith(f"{BELOW}/app/visits/")
        page = browser.get(urlsplit(back.location).path, base_url="https://hospital.example/")
        assert page.status_code == 200 and f'action="{back.location}"' in page.text


def test_a_token_is_for_an_address_below_the_path():
    caller = CdsClient(name="ehr", issuer=ISSUER, keys=(EC_JWK,))
    service = create_app(Config(clients=(caller,), public_url=BELOW, database="sqlite://")).test_client()
    body = (chart := Chart("asthma")).call(chart.prefetch())
    for path in (SERVICE, f"/tools/cds{SERVICE}"):
        for aud, status in ((f"{BELOW}{SERVICE}", 200), (f"https://hospital.example{SERVICE}", 401)):
            assert service.post(path, json=body, headers={"Authorization": f"Bearer {token(aud=aud)}"}).status_code == status
