"""`serve` and `demo` as real programs: they come up, answer, and go when they are told to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import requests

from cds_hooks_schema import ASSESSMENT, check_assessment, check_discovery, check_response
from command_line import cannot, run
from free_port import free_port
from hook_calls import SERVICE, Chart
from hooks.demo.children import CHILDREN, bundle

PROGRAM = (sys.executable, "-m", "hooks")
UP_WITHIN = 60  # seconds; two on an idle machine


@contextmanager
def started(*arguments):
    """The running program; whatever happens, it is gone at the end."""
    process = subprocess.Popen([*PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def without_proxy():
    session = requests.Session()
    session.trust_env = False
    return session


def wait_until_it_answers(url, process):
    deadline = time.monotonic() + UP_WITHIN
    with without_proxy() as session:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                return session.get(url, timeout=5)
            except requests.ConnectionError:
                time.sleep(0.05)
    process.kill()
    pytest.fail(f"it did not come up: {process.communicate()}")


def told_to_stop(process, with_signal):
    """Exit status, standard output and standard error of a program that is asked to stop."""
    process.send_signal(with_signal)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def test_serve_answers_with_two_workers_and_stops_on_sigterm():
    port = free_port()
    host = f"http://127.0.0.1:{port}"
    chart = Chart("screening-complete")
    with started("serve", "--dev", "--port", str(port), "--workers", "2") as process, without_proxy() as session:
        check_discovery(wait_until_it_answers(f"{host}/cds-services", process).json())
        for _ in range(6):
            answer = session.post(host + SERVICE, json=chart.call(chart.prefetch()), timeout=30)
            assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
            check_response(answer.json())
            assert answer.json()["cards"]
        assert session.post(host + SERVICE, json={}, timeout=30).status_code == 400
        status, output, errors = told_to_stop(process, signal.SIGTERM)
    assert (status, output) == (0, "")
    first, *lines = errors.splitlines()
    assert first.startswith("DEVELOPMENT MODE"), "it is said loudly"
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert [event["event"] for event in events].count("answered") == 6
    assert "Traceback" not in errors and chart.id not in errors


SECRET = b"Zwetschgenbaum"
NOT_HTTP = {
    "a long address": (b"GET /" + SECRET * 400 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a large header": (b"GET /cds-services HTTP/1.1\r\nHost: x\r\nX-Large: " + SECRET * 800 + b"\r\n\r\n", 431),
    "many headers": (b"GET /cds-services HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: Zwetschgenbaum\r\n" % n for n in range(200)) + b"\r\n", 431),
    "no request line": (SECRET + b"\r\n\r\n", 400),
    "no method": (b"Zwetschgenbaum?! /cds-services HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no HTTP version": (b"GET /Zwetschgenbaum HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    "no header": (b"GET /cds-services HTTP/1.1\r\nZwetschgen baum: x\r\n\r\n", 400),
    "two lengths": (b"POST /cds-services HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
    "another coding": (b"POST /cds-services HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Zwetschgenbaum\r\n\r\n", 501),
}


def raw(port, sent):
    """Status, headers and body of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(sent)
        told = b""
        while piece := line.recv(65536):
            told += piece
    head, _, body = told.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body


def test_what_never_reaches_the_application_is_refused_and_logged_in_the_same_form():
    """gunicorn's own refusals are HTML, its log lines are not JSON, and both quote the request."""
    port = free_port()
    body = json.dumps(Chart("screening-complete").call()).encode()
    long_body = b"%x\r\n%s\r\n0\r\n\r\n" % (17 * 1024 * 1024, b" " * (17 * 1024 * 1024))
    head = f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with started("serve", "--dev", "--port", str(port), "--workers", "1") as process:
        wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", process)
        for name, (sent, status) in NOT_HTTP.items():
            told, headers, content = raw(port, sent)
            assert told == status, name
            assert "Content-Type: application/fhir+json" in headers and "Cache-Control: no-store" in headers
            assert json.loads(content)["resourceType"] == "OperationOutcome" and SECRET not in content
        assert raw(port, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))[0] == 412, "a chunked body is read"
        assert raw(port, head + long_body)[0] == 413
        _, _, errors = told_to_stop(process, signal.SIGTERM)
    lines = [json.loads(line) for line in errors.splitlines()[2:]]
    refused = [line["status"] for line in lines if line["event"] == "refused_by_the_server"]
    assert refused == [status for _, status in NOT_HTTP.values()] and SECRET.decode() not in errors


def test_serve_on_a_port_that_is_taken_says_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run([*PROGRAM, "serve", "--dev", "--port", str(taken.getsockname()[1])], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert re.search(r"port|in use|connect", done.stderr, re.IGNORECASE)


def test_a_demo_on_a_taken_port_says_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run([*PROGRAM, "demo", "--port", str(port)], capture_output=True, text=True, timeout=UP_WITHIN)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"relapse-cds: port {port} is taken; choose another with --port, or --port 0 for any\n"


@pytest.fixture(scope="module")
def demo():
    with started("demo", "--port", "0") as process:
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url), url
        yield process, url.rstrip("/")


def test_the_demo_answers_everything_at_one_address(demo):
    process, url = demo
    with without_proxy() as session:
        assert "<html" in wait_until_it_answers(f"{url}/", process).text.lower()
        check_discovery(session.get(f"{url}/cds-services", timeout=30).json())
        assert session.get(f"{url}/fhir/Patient/t-cell", timeout=30).json()["id"] == "t-cell"
        call = Chart("t-cell").call(fhirServer=f"{url}/fhir")
        told = session.post(url + SERVICE, json=call, timeout=30).json()
    check_response(told)
    assert told["cards"][0]["extension"][ASSESSMENT]["not_looked_up"] == []


@pytest.mark.parametrize("told", ["t-cell", "Patient/t-cell"])
def test_a_patient_by_id_or_by_reference(demo, told):
    _, url = demo
    found = json.loads(run("assess", told, "--fhir-base", f"{url}/fhir", "--format", "json").stdout)
    assert found["patient"] == "Patient/t-cell"
    assert '"not found"' not in run("doctor", "--patient", told, "--fhir-base", f"{url}/fhir", "--format", "json").stdout


@pytest.mark.parametrize("command", [("assess",), ("doctor", "--patient")])
@pytest.mark.parametrize("told", ["Group/1", "Patient/1/_history/2", "https://ehr.example/fhir/Patient/1", "Patient/"])
def test_what_is_no_id_is_named(command, told):
    assert "the id of a Patient, such as 123 or Patient/123" in cannot(run(*command, told, "--fhir-base", "http://127.0.0.1:9/fhir"))


@pytest.mark.parametrize("command", [("assess", "1", "--fhir-base"), ("doctor", "--fhir-base"), ("screen", "--out", "results")])
@pytest.mark.parametrize(("address", "words"), [
    ("http://user:geheim@127.0.0.1/fhir", "a user or password"), ("https://geheim@ehr.example/fhir", "a user or password"),
    ("https://ehr.example/fhir?key=geheim", "a query"), ("https://ehr.example/fhir#geheim", "a query"), ("http://[1/fhir", "such as https://"),
])  # fmt: skip
def test_an_address_with_a_secret_is_refused_with_the_reason_and_without_the_secret(command, address, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = cannot(run(*command, address))
    assert words in line and "FHIR base URL" in line and "geheim" not in line
    assert ("FHIR_TOKEN" in line) is (words == "a user or password")


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.id)
def test_the_server_and_the_file_give_the_same_judgement(demo, child, tmp_path):
    """Whatever is looked at of a Bundle is asked of a server, also of a child whom the conversation would pass over."""
    _, url = demo
    today = date.today()
    file = tmp_path / "chart.json"
    file.write_text(json.dumps(bundle(child, today)), encoding="utf-8")
    day = ("--as-of", str(today), "--format", "json")
    from_file = json.loads(run("assess", "--bundle", file, *day).stdout)
    from_server = json.loads(run("assess", child.id, "--fhir-base", f"{url}/fhir", *day).stdout)
    for found in (from_file, from_server):
        check_assessment(found)
    assert in_any_order(from_server) == in_any_order(from_file)


def in_any_order(found):
    """Evidence stands in the order it was found in, which differs between a file and a search."""
    return json.loads(json.dumps(found), object_hook=lambda o: {k: sorted(v, key=str) if k == "evidence" else v for k, v in o.items()})


def test_nobody_there_is_one_sentence(demo):
    _, url = demo
    assert "patient" in cannot(run("assess", "nobody", "--fhir-base", f"{url}/fhir"))
    assert "patient" in cannot(run("assess", "t-cell", "--fhir-base", f"http://127.0.0.1:{free_port()}/fhir"))


def test_the_demo_stops_on_ctrl_c():
    with started("demo", "--port", "0") as process:
        wait_until_it_answers(process.stdout.readline().strip(), process)
        status, output, errors = told_to_stop(process, signal.SIGINT)
    assert (status, output) == (0, ""), errors
    assert "Traceback" not in errors


def test_the_demo_on_a_port_that_is_taken_says_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*PROGRAM, "demo", "--port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stdout == "" and port in done.stderr and "Traceback" not in done.stderr


def test_the_installed_command_is_the_same_program(tmp_path):
    command = shutil.which("relapse-cds", path=str(Path(sys.executable).parent))
    assert command, "the console script is installed beside Python"
    missing = str(tmp_path / "missing.json")
    done = subprocess.run([command, "assess", "--bundle", missing], capture_output=True, text=True, timeout=60)
    again = subprocess.run([*PROGRAM, "assess", "--bundle", missing], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr == again.stderr


@pytest.mark.parametrize("form", ["text", "json", "cards"])
def test_a_terminal_of_few_letters_is_no_reason_to_crash(tmp_path, form):
    """A Windows console, or a pipe there, knows no "≥"."""
    file = tmp_path / "chart.json"
    file.write_text(json.dumps(bundle(CHILDREN[0], date(2025, 9, 1))), encoding="utf-8")
    command = [*PROGRAM, "assess", "--bundle", str(file), "--as-of", "2025-09-01", "--format", form]
    done = subprocess.run(command, capture_output=True, timeout=60, env={**os.environ, "PYTHONIOENCODING": "cp1252"})
    assert done.returncode == 0 and b"Traceback" not in done.stderr
