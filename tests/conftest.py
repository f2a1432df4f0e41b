"""The test bed: what a test may ask for by name.

`fhir_server`, `absolute_fhir_server`   a real FHIR R4 server, empty at first, shared by the whole run
`start_fhir_server(**settings)`         one more of them, with its own database
`bystander_files`, `bystanders`         ordinary children: their Bundles on disk; their ids, stored in `fhir_server`
`postgres`, `postgres_server`           the URL of an empty PostgreSQL database of the test's own; the real server it is on
`recordings`, `replay(vendor)`          recorded answers of vendors' sandboxes; a server that gives them again
`browser`                               Chromium without a window, for the pages
`cohort`, `copied`, `plain`             the demonstration's children as Bulk Data files to read only; the same, the test's own; what
                                        a screening says of them
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from browser import browser  # noqa: F401 - a fixture
import bystanders as ordinary_children
import real_fhir_server
import real_postgres
import recorded_sandboxes
from real_fhir_server import NotInstallable, RealFhirServer

RUNNING = pytest.StashKey[list[RealFhirServer]]()


@pytest.fixture(scope="session")
def fhir_server_python() -> Path:
    """The Python that has the FHIR server installed; one failed attempt to install it settles the whole run."""
    try:
        return real_fhir_server.own_environment("sekmet", real_fhir_server.SEKMET)
    except NotInstallable as why:
        pytest.skip(f"No FHIR server to test against: {why}")


@pytest.fixture(scope="session")
def start_fhir_server(
    fhir_server_python: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Callable[..., RealFhirServer]]:
    """`start_fhir_server(validation="off", absolute_references=True)`; every server stops with the run."""
    servers = pytestconfig.stash.setdefault(RUNNING, [])
    with ExitStack() as until_the_end:

        def start(**settings: Any) -> RealFhirServer:
            folder = tmp_path_factory.mktemp("fhir-server")
            server = until_the_end.enter_context(real_fhir_server.running(fhir_server_python, folder, **settings))
            servers.append(server)
            return server

        yield start


@pytest.fixture(scope="session")
def fhir_server(start_fhir_server: Callable[..., RealFhirServer]) -> RealFhirServer:
    """Strict about what it stores. Tests share it, so give each patient an id of the test's own."""
    return start_fhir_server()


@pytest.fixture(scope="session")
def absolute_fhir_server(start_fhir_server: Callable[..., RealFhirServer]) -> RealFhirServer:
    """Answers with absolute references (`http://.../Patient/1`), as some vendors do."""
    return start_fhir_server(absolute_references=True)


@pytest.fixture(scope="session")
def bystander_files() -> tuple[Path, ...]:
    try:
        return ordinary_children.bystander_files()
    except NotInstallable as why:
        pytest.skip(f"No simulated children to test with: {why}")


@pytest.fixture(scope="session")
def bystanders(fhir_server: RealFhirServer, bystander_files: tuple[Path, ...]) -> tuple[str, ...]:
    """The Patient ids of the simulated children, all of whose resources are in `fhir_server` by now."""
    ids = []
    for file in bystander_files:
        bundle = ordinary_children.read_bystander(file)
        fhir_server.load(bundle)
        ids.append(ordinary_children.patient(bundle)["id"])
    return tuple(ids)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[real_postgres.RealPostgres]:
    try:
        programs = real_postgres.programs()
    except NotInstallable as why:
        pytest.skip(f"No PostgreSQL to test against: {why}")
    with real_postgres.running(programs) as server:
        yield server


@pytest.fixture
def postgres(postgres_server: real_postgres.RealPostgres) -> str:
    return postgres_server.new_database()


@pytest.fixture(scope="session")
def recordings_folder() -> Path:
    named = os.environ.get("SANDBOX_RECORDINGS")
    if not named:
        pytest.skip("No recorded sandboxes: set SANDBOX_RECORDINGS to their folder to replay them.")
    return Path(named)


@pytest.fixture(scope="session")
def recordings(recordings_folder: Path) -> tuple[recorded_sandboxes.Recording, ...]:
    return recorded_sandboxes.read_recordings(recordings_folder)


@pytest.fixture
def replay(recordings_folder: Path) -> Iterator[Callable[[str], str]]:
    """`replay("epic")` starts a server and gives its FHIR base URL."""
    with ExitStack() as until_the_end:
        yield lambda vendor: until_the_end.enter_context(recorded_sandboxes.replaying(recordings_folder, vendor))


# The next three import late: all that `screened` imports takes longer than many a test file.


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from screened import child_lines, written

    return written(tmp_path_factory.mktemp("cohort"), child_lines())


@pytest.fixture(scope="session")
def plain(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    from screened import assessments, screened

    out = tmp_path_factory.mktemp("plain")
    screened(cohort, out)
    return assessments(out)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    from screened import child_lines, written

    return written(tmp_path / "in", child_lines())


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("sandbox") and not os.environ.get("FHIR_SANDBOX"):
        pytest.skip("Not run against a public FHIR server: set FHIR_SANDBOX to its base URL to do so.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Under a failed test, what the FHIR servers it used have to say."""
    report = yield
    if report.failed and "start_fhir_server" in item.fixturenames:
        for server in item.config.stash.get(RUNNING, []):
            report.sections.append((f"FHIR server {server.base_url}, last lines", server.log_tail()))
    return report
