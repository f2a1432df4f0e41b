"""The settings of `serve`: a good file is called valid; a bad one is told by key and remedy, before anything is served."""

from __future__ import annotations

import pytest

from command_line import cannot, run


@pytest.fixture
def file_of(tmp_path):
    def write(content):
        file = tmp_path / "settings.toml"
        file.write_bytes(content)
        return file

    return write


GOOD = ("", 'fhir_servers = ["https://ehr.example/fhir"]', 'time_zone = "Asia/Seoul"\nfetch_seconds = 2.5\ncard_when_not_eligible = false')
BAD = {
    "fhir_servers = 5": "fhir_servers",
    'fhir_servers = ["ehr"]': "fhir_servers.0",
    'fhir_servers = ["https://ok.example/fhir", "https://ehr.example/fhir?x=1"]': "fhir_servers.1",
    'time_zone = "Mars/Olympus"': "time_zone",
    "fetch_seconds = 0": "fetch_seconds",
    'fetch_seconds = "soon"': "fetch_seconds",
    "max_body_bytes = 1": "max_body_bytes",
    'card_when_not_eligible = "perhaps"': "card_when_not_eligible",
    'fhir_server = "https://ehr.example/fhir"': "fhir_server",
    "[fhir_servers]": "fhir_servers",
    "fhir_servers = [": "TOML",
    "fetch_seconds = 1\nfetch_seconds = 2": "TOML",
}


@pytest.mark.parametrize("content", GOOD)
@pytest.mark.parametrize("dev", [[], ["--dev"]])
def test_a_good_configuration_is_called_valid(file_of, content, dev):
    result = run("serve", "--check", "--config", file_of(content.encode()), *dev)
    assert (result.exit_code, result.stdout.splitlines()) == (0, ["The configuration is valid."])


@pytest.mark.parametrize(("content", "key"), BAD.items())
def test_a_bad_configuration_names_the_key_and_the_remedy(file_of, content, key):
    file = file_of(content.encode())
    line = cannot(run("serve", "--check", "--config", file))
    place, _, remedy = line.removeprefix(f"relapse-cds: {file}: ").partition(": ")
    assert place == key or (key == "TOML" and "TOML" in place), line
    assert len(remedy) > 10, "what to do about it"
    assert cannot(run("serve", "--config", file)) == line, "nor is it served with"


def test_an_unknown_key_is_told_the_known_ones(file_of):
    assert "fhir_servers" in cannot(run("serve", "--check", "--config", file_of(b'fhir_serverz = ["x"]')))


def test_a_configuration_that_is_not_there_or_no_text(tmp_path, file_of):
    assert "nowhere.toml" in cannot(run("serve", "--check", "--config", tmp_path / "nowhere.toml"))
    assert "TOML" in cannot(run("serve", "--check", "--config", file_of(b"\xff\xfe")))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
def test_development_mode_listens_on_loopback_only(host):
    assert "loopback" in cannot(run("serve", "--dev", "--host", host, "--check"))
