"""Published keys: fetched when a worker starts, before anybody waits for them; and what is told when they cannot be had."""

from __future__ import annotations

import json
import time

import pytest
import structlog

import hooks.jwks
import hostile_fhir
from free_port import free_port
from hooks import create_app
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.server import WORKER_START
from hostile_fhir import HostileFhir
from own_ca import OwnCa
from signed_calls import EC_JWK, ISSUER, PUBLIC_URL, token
from test_cli_servers import started, wait_until_it_answers
from test_trust import Published, asked, service_of


@pytest.fixture
def published():
    keys = Published()
    with keys.served() as keys.url:
        yield keys


def until(what):
    """Waits for what happens in the background, and fails if it does not."""
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


# --- at the start -----------------------------------------------------------------------------------------------------


def test_the_keys_are_there_before_the_first_call(published):
    app = service_of(published.url)
    app.extensions[WORKER_START]()
    until(lambda: published.asked)
    until(lambda: app.test_client().get("/readyz").status_code == 200)
    published.body = b""  # nothing can be learned of it any more
    assert asked(app.test_client(), f"Bearer {token()}").status_code == 200 and published.asked == 1


def test_every_worker_of_the_service_fetches_them(published, tmp_path):
    port, settings = free_port(), tmp_path / "relapse-cds.toml"
    settings.write_text(f'public_url = "{PUBLIC_URL}"\n[[clients]]\nname = "ehr"\nissuer = "{ISSUER}"\njwks_url = "{published.url}"\n', encoding="utf-8")
    with started("serve", "--config", str(settings), "--port", str(port), "--workers", "2") as process:
        wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", process)
        until(lambda: published.asked == 2)


def test_keys_that_cannot_be_had_at_the_start_are_asked_for_by_the_first_call(published):
    """The network may come up after us. The start does not fail, and its failure is not held against whoever calls next."""
    app, published.status = service_of(published.url), 503
    with structlog.testing.capture_logs() as logs:
        app.extensions[WORKER_START]()
        until(lambda: logs)
    assert [(line["event"], line["client"], "503" in line["why"]) for line in logs] == [("keys_not_fetched", "ehr", True)]
    published.status = 200
    until(lambda: asked(app.test_client(), f"Bearer {token()}").status_code == 200)


def test_the_start_waits_for_nobody():
    with HostileFhir(hostile_fhir.hang) as server:
        app = service_of(server.url)
        app.extensions[WORKER_START]()
        assert app.test_client().get("/healthz").status_code == 200
        until(lambda: server.heard)


@pytest.mark.parametrize("dev", [True, False])
def test_of_callers_who_are_not_checked_or_publish_nothing_there_is_nothing_to_fetch(published, dev):
    known = CdsClient(name="ehr", issuer=ISSUER, jwks_url=published.url) if dev else CdsClient(name="ehr", issuer=ISSUER, keys=(EC_JWK,))
    create_app(Config(clients=(known,), public_url=PUBLIC_URL, database="sqlite://", dev=dev)).extensions[WORKER_START]()
    assert published.asked == 0


# --- what is told -----------------------------------------------------------------------------------------------------


def answering(status=200, body=b"", **headers):
    def behaviour(talk):
        talk.start(status, "application/json", **headers)
        talk.wfile.write(body)

    return behaviour


CAUSES = {
    "a status": (answering(500), "the address of its keys answered 500"),
    "a redirect": (answering(302, Location="https://secret.example/"), "the address of its keys answered with a redirect (302), which is not followed"),
    "silence": (hostile_fhir.hang, "the address of its keys did not answer in time"),
    "drops": (hostile_fhir.drip_body, "the address of its keys did not answer in time"),
    "drops of a header": (hostile_fhir.drip_headers, "the address of its keys did not answer in time"),
    "hanging up": (hostile_fhir.hang_up, "the connection to the address of its keys failed"),
    "half an answer": (hostile_fhir.reset, "the connection to the address of its keys failed"),
    "too much": (answering(body=json.dumps({"keys": [EC_JWK], "x": "secret" * 20_000}).encode()), "the address of its keys answered with more than 64 KiB"),
    "a bomb": (hostile_fhir.zipped_bomb, "the address of its keys answered with more than 64 KiB"),
    "no gzip": (answering(body=b"secret", Content_Encoding="gzip"), "the exchange with the address of its keys failed"),
    "a web page": (hostile_fhir.web_page, "the address of its keys answered with something other than JSON"),
    "no keys": (answering(body=b'{"keys": []}'), "the address of its keys holds no usable key set"),
    "a list": (answering(body=b"[]"), "the address of its keys holds no usable key set"),
}


@pytest.mark.parametrize(("behaviour", "words"), CAUSES.values(), ids=CAUSES)
def test_readyz_tells_the_cause_and_tells_it_again(monkeypatch, behaviour, words):
    """For a minute it is not tried again; what was wrong is no secret meanwhile. Nothing of the other side's words is told."""
    monkeypatch.setattr(hooks.jwks, "FETCH_SECONDS", 0.5)
    with HostileFhir(behaviour) as server:
        service = service_of(server.url).test_client()
        told = [service.get("/readyz") for _ in range(2)]
        assert len(server.heard) == 1
    wrong = [check["wrong"] for answer in told for check in answer.json["checks"] if check["name"] == "keys of ehr"]
    assert wrong == [words, f"{words}; tried a moment ago"]
    assert not [answer for answer in told if "secret" in answer.text or server.url in answer.text]


def test_a_certificate_that_is_not_trusted_is_a_cause_of_its_own(tmp_path):
    with OwnCa(tmp_path / "ca").serving(answering(body=json.dumps({"keys": [EC_JWK]}).encode())) as server:
        answer = service_of(server.url).test_client().get("/readyz")
    assert [check["wrong"] for check in answer.json["checks"] if check["name"] == "keys of ehr"] == ["no secure connection to the address of its keys"]


@pytest.mark.parametrize("behaviour", [CAUSES["drops"][0], CAUSES["no gzip"][0], CAUSES["half an answer"][0]])
def test_a_caller_is_told_the_same_whatever_its_keys_address_does(monkeypatch, behaviour):
    monkeypatch.setattr(hooks.jwks, "FETCH_SECONDS", 0.5)
    with HostileFhir(behaviour) as server:
        assert asked(service_of(server.url).test_client(), f"Bearer {token()}").status_code == 401
