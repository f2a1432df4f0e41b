"""What a hostile server can do on the wire. Each test would hang, or leak, if the client were careless.

Rule numbers: "So the client must" in the notes on what public sandboxes do to a client.
"""

from __future__ import annotations

import gzip
import logging

import pytest

import hostile_fhir
from fhir_mappings.record import Outcome
from hostile_fhir import HostileFhir
from hooks.deadline import Deadline
from hooks.fhir_server import FhirServer
from hooks.fhir_wire import FhirWire, NoAnswer

TOKEN = "secret-token"
PATIENT = [("patient", "child-7")]


def ask(server: HostileFhir, seconds: float = 0.4, **limits):
    with FhirServer(server.url, TOKEN, deadline=Deadline.after(seconds), **limits) as fhir:
        return fhir.search("Observation", PATIENT)


@pytest.mark.parametrize("behaviour", [hostile_fhir.hang, hostile_fhir.drip_headers, hostile_fhir.drip_body])
def test_rule_2_never_hangs(behaviour):
    with HostileFhir(behaviour) as server:
        answer = ask(server)
    assert (answer.outcome, answer.why) == (Outcome.FAILED, "no answer in time")


def test_rule_2_never_swallows_an_endless_body():
    with HostileFhir(hostile_fhir.endless_body) as server:
        answer = ask(server, seconds=20, max_bytes=1_000_000)
    assert (answer.outcome, answer.why) == (Outcome.FAILED, "the answer was too large")


def test_rule_2_never_unpacks_a_zipped_bomb():
    def bomb(talk):
        talk.start(Content_Encoding="gzip")
        talk.wfile.write(gzip.compress(b" " * 20_000_000))

    with HostileFhir(bomb) as server:
        answer = ask(server, seconds=20, max_bytes=1_000_000)
    assert answer.why == "the answer was too large"


def test_rule_2_an_endless_redirect_body_is_not_read():
    def endless_redirect(talk):
        talk.start(302, Location="http://[")  # and the address is one that requests would choke on
        while not talk.over.is_set():
            talk.wfile.write(b" " * 65536)

    with HostileFhir(endless_redirect) as server:
        answer = ask(server, seconds=20)
    assert (answer.outcome, answer.why) == (Outcome.FAILED, "answered with a redirect")


def test_rule_2_a_server_that_hangs_up_or_is_not_there_fails():
    with HostileFhir(hostile_fhir.hang_up) as server:
        hung_up = ask(server, seconds=20)
        assert len(server.heard) == 3
    nobody = ask(server, seconds=20)
    assert hung_up.why == nobody.why == "the connection to the FHIR server failed"


@pytest.mark.parametrize("garbage", [b"\x00\xff\r\n\r\n",
                                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"])
def test_rule_2_what_is_not_http_fails(garbage):
    with HostileFhir(lambda talk: talk.wfile.write(garbage)) as server:
        assert ask(server, seconds=5).outcome is Outcome.FAILED


def test_rule_5_a_redirect_elsewhere_is_not_followed():
    with HostileFhir(hostile_fhir.answer({})) as elsewhere, HostileFhir(
            hostile_fhir.redirect_to(f"{elsewhere.url}/Observation")) as server:
        answer = ask(server, seconds=20)
        assert (answer.outcome, answer.why) == (Outcome.FAILED, "answered with a redirect")
        assert elsewhere.heard == []


@pytest.mark.parametrize("disguise", ["{elsewhere}", "http://{host}@{elsewhere_host}", "http:\\\\{elsewhere_host}",
                                      "//{elsewhere_host}", "http://{elsewhere_host}\\@{host}"])
def test_rule_5_a_foreign_next_never_sees_the_token(disguise):
    with HostileFhir(hostile_fhir.answer({"resourceType": "Bundle"})) as elsewhere:
        def behaviour(talk):
            host, elsewhere_host = talk.headers["Host"], elsewhere.url.split("/")[2]
            target = disguise.format(host=host, elsewhere_host=elsewhere_host, elsewhere=elsewhere.url) + "/fhir?page=2"
            hostile_fhir.answer({"resourceType": "Bundle", "link": [{"relation": "next", "url": target}],
                                 "entry": [{"resource": {"resourceType": "Observation", "id": "1"}}]})(talk)

        with HostileFhir(behaviour) as server:
            answer = ask(server, seconds=20)
            assert server.heard[0][1]["Authorization"] == f"Bearer {TOKEN}"
        assert elsewhere.heard == []
    assert (answer.outcome, answer.why) == (Outcome.PARTIAL, "the next page is on another server")
    assert [found["id"] for found in answer.resources] == ["1"]


def test_rule_5_the_wire_itself_goes_nowhere_else():
    """`paging` already refuses a foreign `next`; whoever builds a URL some other way meets the same wall."""
    with HostileFhir(hostile_fhir.answer({})) as elsewhere:
        wire = FhirWire("https://ehr.example/fhir", TOKEN, deadline=Deadline.after(20), max_bytes=1, ca_bundle=None)
        with pytest.raises(NoAnswer, match="^the answer led to another server$"):
            wire.get(f"{elsewhere.url}/Observation")
        assert elsewhere.heard == []


def test_rule_5_proxies_and_netrc_of_the_machine_are_not_used(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    nothing = hostile_fhir.answer({"resourceType": "Bundle"})
    with HostileFhir(hostile_fhir.hang_up) as proxy, HostileFhir(nothing) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        with FhirServer(server.url, deadline=Deadline.after(20)) as fhir:
            assert fhir.search("Observation", PATIENT).complete
        assert proxy.heard == []
        assert "Authorization" not in server.heard[0][1]


def test_nothing_of_the_patient_or_the_token_is_logged(caplog):
    def broken_headers(talk):
        talk.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/fhir+json\r\nno header at all\r\n\r\n{}")

    caplog.set_level(logging.DEBUG)
    with HostileFhir(broken_headers) as server:
        ask(server, seconds=20)
    assert "child-7" not in caplog.text and TOKEN not in caplog.text
