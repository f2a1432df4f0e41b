"""A real FHIR R4 server for the tests: `sekmet-fhir` from PyPI, run as a program of its own on this machine.

It lives in its own virtual environment because it pins other libraries than ours, and so shares nothing with the code
under test but the wire. Test code, small project: pinned, and done without (loudly) where it cannot be installed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence
from urllib.parse import urljoin

import requests

from free_port import free_port

CHECKOUT = Path(__file__).resolve().parent.parent
SEKMET = ("sekmet-fhir==0.1.1", "fastapi==0.165.*", "starlette==1.10.*", "fhir.resources==8.3.*")
START = ("-I", "-c", "from sekmet.cli import app; app()", "serve", "--config", "settings.yaml")
INSTALLED_WITHIN = 300  # seconds; about 15 over a good line
UP_WITHIN = 60  # seconds; one or two on an idle machine
REPLY_WITHIN = 120  # seconds; a child's whole life in one transaction takes about one


class NotInstallable(Exception):
    """A test program could not be fetched; the tests that need it are skipped with this as the reason."""


def own_environment(name: str, *installs: Sequence[str]) -> Path:
    """The Python of `.venv-NAME` beside `.venv`, made now unless it already holds exactly these installs."""
    home = CHECKOUT / f".venv-{name}"
    home.mkdir(exist_ok=True)
    python, note = home / "bin" / "python", home / "installed.json"
    wanted = json.dumps(installs)
    with _alone_in(home):
        # The note is written last, so an interrupted install is not taken for a finished one.
        if python.exists() and note.exists() and note.read_text() == wanted:
            return python
        _run(sys.executable, "-m", "venv", "--clear", str(home))
        for arguments in installs:
            _run(str(python), "-m", "pip", "install", "--quiet", "--no-input", "--retries", "2", *arguments)
        note.write_text(wanted)
    return python


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two test runs in one checkout must not fill the same environment at once."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALLED_WITHIN
        )
    except subprocess.TimeoutExpired as late:
        raise NotInstallable(f"`python {' '.join(command[1:4])}` took more than {INSTALLED_WITHIN} s") from late
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstallable(f"`python {' '.join(command[1:4])}` failed: {' '.join(errors) or done.stderr[-500:]}")


class RealFhirServer:
    """The running server: where it is, and the three things a test does with it."""

    def __init__(self, base_url: str, log: Path) -> None:
        self.base_url = base_url
        self.log = log
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy of this machine has no business on the loopback
        self._http.headers["Accept"] = "application/fhir+json"

    def get(self, path: str) -> dict[str, Any]:
        """`Patient/1`, `Observation?patient=1` or a `next` link; fractions come as Decimal, as in every Record."""
        answer = self._http.get(urljoin(f"{self.base_url}/", path), timeout=REPLY_WITHIN)
        assert answer.status_code == 200, f"GET {path} gave {answer.status_code}: {answer.text[:2000]}"
        return answer.json(parse_float=Decimal)

    def load(self, bundle: Mapping[str, Any]) -> tuple[str, ...]:
        """Store every resource, all or none; their references, such as `Patient/1`, in the bundle's order.

        Any type of Bundle will do: an entry without a request is put under its own id.
        """
        body = {"resourceType": "Bundle", "type": "transaction", "entry": [_to_store(e) for e in bundle["entry"]]}
        answer = self._http.post(
            self.base_url,
            data=json.dumps(body, default=float),  # Decimal is the only thing of ours that json does not know
            headers={"Content-Type": "application/fhir+json", "Prefer": "return=minimal"},
            timeout=REPLY_WITHIN,
        )
        assert answer.status_code == 200, f"the transaction gave {answer.status_code}: {answer.text[:2000]}"
        stored = [entry["response"] for entry in answer.json()["entry"]]
        refused = [response for response in stored if not response["status"].startswith("2")]
        assert not refused and len(stored) == len(body["entry"]), f"not everything was stored: {refused}"
        return tuple(re.search(r"(\w+/[^/]+)(/_history/\d+)?$", response["location"])[1] for response in stored)

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _to_store(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: entry[key] for key in ("fullUrl", "resource", "request") if key in entry}
    kind, own_id = entry["resource"]["resourceType"], entry["resource"].get("id")
    put = {"method": "PUT", "url": f"{kind}/{own_id}"} if own_id else {"method": "POST", "url": kind}
    return {"request": put} | kept


@contextmanager
def running(
    python: Path,
    folder: Path,
    validation: str = "strict",
    absolute_references: bool = False,
    server_auth: Mapping[str, Any] | None = None,
) -> Iterator[RealFhirServer]:
    """A server with an empty database in `folder`, gone at the end. `validation` is strict, warn or off.

    `server_auth` makes it ask for tokens; a bearer token listed there is the one that the test itself loads with.
    """
    port = free_port()
    server = RealFhirServer(f"http://127.0.0.1:{port}/fhir", folder / "server.log")
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "base_url": server.base_url,  # next links and fullUrls are made from it
        "data_dir": str(folder / "data"),
        "simulator": {"enabled": False},  # it would answer orders by itself
        "validation": {"inbound": validation},
        "log_inbound": False,
        "server_behaviour": {"absolute_references": absolute_references},
        "server_auth": server_auth or {"types": ["none"]},
    }
    for token in settings["server_auth"].get("tokens", ()):
        server._http.headers["Authorization"] = f"Bearer {token}"
    (folder / "settings.yaml").write_text(json.dumps(settings))  # JSON is YAML
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEKMET_")}
    with server.log.open("wb") as output, server._http:
        process = subprocess.Popen(
            [python, *START],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_it_answers(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()



def _wait_until_it_answers(server: RealFhirServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + UP_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if server._http.get(f"{server.base_url}/metadata", timeout=5).status_code == 200:
                return
        except requests.RequestException:
            pass  # not listening yet
        time.sleep(0.1)
    raise RuntimeError(f"The FHIR server did not come up within {UP_WITHIN} s. Its output:\n{server.log_tail()}")
