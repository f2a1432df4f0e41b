"""The settings of `serve`: a good file is called valid; a bad one is told by key and remedy, before anything is served."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

import hooks
from command_line import cannot, run
from free_port import free_port
from hooks.backend_registration import BackendServices
from hooks.cds_client import CdsClient
from hooks.checklist.registration import SmartApp
from hooks.config import Config
from hooks.state import State
from signed_calls import EC_JWK, RSA_KEY

OUR_KEY = RSA_KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
EXAMPLE = Path(hooks.__file__).with_name("relapse-cds.example.toml")
KEY = f'[[clients.keys]]\nkty = "EC"\ncrv = "P-384"\nkid = "1"\nx = "{EC_JWK["x"]}"\ny = "{EC_JWK["y"]}"\n'
CLIENT = f'public_url = "https://cds.example"\n[[clients]]\nname = "ehr"\nissuer = "https://ehr.example"\n%s\n{KEY}'


@pytest.fixture
def file_of(tmp_path):
    def write(content):
        file = tmp_path / "settings.toml"
        file.write_bytes(content)
        return file

    return write


GOOD = (CLIENT % 'fhir_servers = ["https://ehr.example/fhir"]', 'time_zone = "Asia/Seoul"\nfetch_seconds = 2.5\n' + CLIENT % "suggestions = false",
        'public_url = "https://cds.example/"\n[[clients]]\nname = "ehr"\nissuer = "https://ehr.example"\njwks_url = "https://ehr.example/keys"')  # fmt: skip
BAD = {
    "fetch_seconds = 0": "fetch_seconds",
    'fetch_seconds = "soon"': "fetch_seconds",
    "max_body_bytes = 1": "max_body_bytes",
    'time_zone = "Mars/Olympus"': "time_zone",
    'card_when_not_eligible = "perhaps"': "card_when_not_eligible",
    'fhir_servers = ["https://ehr.example/fhir"]': "fhir_servers",
    'public_url = "http://cds.example"': "public_url",
    'public_url = "https://cds.example?site=1"': "public_url",
    'public_url = "https://cds.example/#x"': "public_url",
    "public_url = 5": "public_url",
    "keep_days = 2.5": "keep_days",
    "fetch_seconds = 61": "fetch_seconds",
    "site_codes = 5": "site_codes",
    "database = []": "database",
    'contact = "' + "x" * 201 + '"': "contact",
    'clients = "ehr"': "clients",
    "clients = [5]": "clients, first entry",
    "requests_per_fhir_server = 0": "requests_per_fhir_server",
    "keep_days = 0": "keep_days",
    "dev = 3": "dev",
    "dev = true": "dev",
    "dev = false": "dev",
    "dev = true\n" + CLIENT % "": "dev",
    "fetch_seconds = [": "TOML",
    "fetch_seconds = 1\nfetch_seconds = 2": "TOML",
    "[clients]": "clients",
    CLIENT % "fhir_servers = 5": "clients, first entry, fhir_servers",
    CLIENT % 'fhir_servers = ["ehr"]': "clients, first entry, fhir_servers, first entry",
    CLIENT % 'fhir_servers = ["https://ok.example/fhir", "https://ehr.example/fhir?x=1"]': "clients, first entry, fhir_servers, second entry",
    CLIENT % 'jwks_url = "http://ehr.example/keys"': "clients, first entry, jwks_url",
    CLIENT % 'detail_content_type = "text/html"': "clients, first entry, detail_content_type",
    CLIENT % 'override_reasons = [{code = "a", system = "b"}]': "clients, first entry, override_reasons, first entry, display",
    CLIENT % "secret = 1": "clients, first entry, secret",
    CLIENT.replace('name = "ehr"', 'name = "The EHR"') % "": "clients, first entry, name",
    (CLIENT % "").replace('kid = "1"\n', ""): "clients, first entry, keys, first entry",
    (CLIENT % "") + 'd = "AAAA"\n': "clients, first entry, keys, first entry",
    (CLIENT % "").replace("P-384", "secp256k1"): "clients, first entry, keys, first entry",
    (CLIENT % "").replace(KEY, ""): "clients, first entry",
    (CLIENT % "").replace('public_url = "https://cds.example"\n', ""): "the file",
    (CLIENT % "") + (CLIENT % "").partition("\n")[2]: "the file",
    (CLIENT % "").replace("https://ehr.example", "https://sandbox.cds-hooks.org"): "the file",
    '[[backend_services]]\nfhir_server = "https://ehr.example/fhir"\nclient_id = "a"\nkid = "k"': "backend_services, first entry",
    '[[backend_services]]\nfhir_server = "ehr"\nclient_id = "a"\nkid = "k"\nkey_env = "K"': "backend_services, first entry, fhir_server",
}


@pytest.mark.parametrize("content", GOOD)
@pytest.mark.parametrize("dev", [[], ["--dev"]])
def test_a_good_configuration_is_called_valid(file_of, content, dev):
    result = run("serve", "--check", "--config", file_of(content.encode()), *dev)
    assert (result.exit_code, result.stdout.splitlines()) == (0, ["The configuration is valid."]), result.stderr


@pytest.mark.parametrize(("content", "key"), BAD.items())
def test_a_bad_configuration_names_the_key_and_the_remedy(file_of, content, key):
    file = file_of(content.encode())
    line = cannot(run("serve", "--check", "--config", file))
    place, _, remedy = line.removeprefix(f"relapse-cds: {file}: ").partition(": ")
    assert place == key or (key == "TOML" and "TOML" in place), line
    assert len(remedy) > 10, "what to do about it"
    assert cannot(run("serve", "--config", file)) == line, "nor is it served with"


@pytest.mark.parametrize(("content", "words"), [
    (CLIENT.replace('name = "ehr"', 'name = "The EHR"') % "",
     "clients, first entry, name: must begin with a small letter or a digit and hold only these and hyphens, at most 40"),
    (CLIENT.replace('name = "ehr"\n', "") % "", "clients, first entry, name: is missing, and must be given"),
    ((CLIENT % "").replace(KEY, "suggestions = 3\n" + KEY), "clients, first entry, suggestions: must be true or false"),
    ("[clients]", "clients: must be a list of tables, each of which begins with [[clients]]"),
    ("keep_days = 0", "keep_days: must be 1 or more"),
    ("keep_days = 2.5", "keep_days: must be a whole number"),
    ("fetch_seconds = 0", "fetch_seconds: must be more than 0"),
    ("fetch_seconds = 61", "fetch_seconds: must be 60 or less"),
    ('fetch_seconds = "soon"', "fetch_seconds: must be a number"),
    ("public_url = 5", "public_url: must be text, in quotation marks"),
    ('public_url = "https://cds.example?site=1"', "public_url: must be without query and fragment: the paths of the services are added to it"),
    (CLIENT % "fhir_servers = 5", "clients, first entry, fhir_servers: must be a list, in square brackets"),
    (CLIENT % 'detail_content_type = "text/html"',
     "clients, first entry, detail_content_type: must be 'text/markdown' or 'text/markdown; variant=CommonMark'"),
])  # fmt: skip
def test_what_is_allowed_is_told_in_words_of_ours(file_of, content, words):
    file = file_of(content.encode())
    assert cannot(run("serve", "--check", "--config", file)) == f"relapse-cds: {file}: {words}"


BACKEND = '[[backend_services]]\nfhir_server = "https://%s.example/fhir"\nclient_id = "a"\nkid = "k"\nkey_env = "OUR_KEY"\n'


@pytest.mark.parametrize("listed", [True, False])
def test_our_own_access_to_a_server_that_no_client_lists_is_a_mistake(file_of, monkeypatch, listed):
    """No call could use it. For `screen` and `assess`, which nobody calls, it is none."""
    monkeypatch.setenv("OUR_KEY", OUR_KEY)
    servers = 'fhir_servers = ["https://ehr.example:443/fhir/"]'
    file = file_of((CLIENT % servers + BACKEND % "ehr" + ("" if listed else BACKEND % "other")).encode())
    result = run("serve", "--check", "--config", file)
    if listed:
        assert result.exit_code == 0, result.stderr
    else:
        line = cannot(result)
        assert "backend_services, second entry: no client lists https://other.example/fhir among its fhir_servers" in line
        assert len(Config.read(file, {}).backend_services) == 2


@pytest.mark.parametrize(("servers", "warned"), [
    (["https://ehr.example/fhir"], []),
    (["http://127.0.0.1:8080/fhir", "http://localhost/fhir", "http://[::1]/fhir"], []),
    (["http://ehr.inside/fhir"], ["http://ehr.inside/fhir"]),
    (["http://10.1.2.3/fhir", "https://ehr.example/fhir", "http://ehr.inside/fhir"], ["http://10.1.2.3/fhir", "http://ehr.inside/fhir"]),
])  # fmt: skip
def test_a_fhir_server_without_tls_is_allowed_and_warned_of(file_of, servers, warned):
    """What a hospital runs inside its own walls is its own to decide, knowingly."""
    file = file_of((CLIENT % f"fhir_servers = {servers}").encode())
    result = run("serve", "--check", "--config", file)
    assert (result.exit_code, result.stdout) == (0, "The configuration is valid.\n")
    lines = result.stderr.splitlines()
    assert [line.split(" ")[1] for line in lines] == [f"{server}:" for server in warned] and all("not encrypted" in line for line in lines)


def test_the_warning_also_comes_at_the_start(file_of, monkeypatch):
    import hooks.server

    monkeypatch.setattr(hooks.server, "run", lambda *told: None)
    monkeypatch.setattr("hooks.cli_serve.configure_logs", lambda: None)
    file = file_of(('database = "sqlite://"\n' + CLIENT % 'fhir_servers = ["http://ehr.inside/fhir"]').encode())
    result = run("serve", "--config", file, "--port", str(free_port()))
    assert result.exit_code == 0 and "not encrypted" in result.stderr.splitlines()[0]


def test_an_unknown_key_is_told_the_known_ones(file_of):
    assert "public_url" in cannot(run("serve", "--check", "--config", file_of(b'public_ulr = "x"')))
    assert "fhir_servers" in cannot(run("serve", "--check", "--config", file_of((CLIENT % "fhir_serverz = []").encode())))


def test_a_configuration_that_is_not_there_or_no_text(tmp_path, file_of):
    assert "nowhere.toml" in cannot(run("serve", "--check", "--config", tmp_path / "nowhere.toml"))
    assert "TOML" in cannot(run("serve", "--check", "--config", file_of(b"\xff\xfe")))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
def test_development_mode_listens_on_loopback_only(host):
    assert "loopback" in cannot(run("serve", "--dev", "--host", host, "--check"))


@pytest.mark.parametrize("arguments", [("serve",), ("serve", "--check"), ("serve", "--dev"), ("serve", "--host", "0.0.0.0"), ("feedback",)])
def test_no_file_turns_development_mode_on(file_of, arguments):
    """There no caller is checked. Whoever starts the service has to say so, each time; a line of a file is copied and forgotten."""
    line = cannot(run(*arguments, "--config", file_of(b"dev = true\n" + (CLIENT % "").encode())))
    assert "dev: " in line and "serve --dev" in line


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_production_does_not_start_while_nobody_may_call(file_of, arguments):
    """A service that nobody may call is a mistake, and one that everybody may call a disaster."""
    assert "clients" in cannot(run("serve", *arguments))
    assert "clients" in cannot(run("serve", *arguments, "--config", file_of(b"fetch_seconds = 1")))


@pytest.mark.parametrize("database", ["mysql://db.example/x", "rubbish"])
def test_a_database_that_cannot_be_is_told_by_key(file_of, database):
    assert "database: " in cannot(run("serve", "--check", "--config", file_of(f'database = "{database}"\n{CLIENT % ""}'.encode())))


def test_a_database_that_cannot_be_reached_stops_the_start(file_of, tmp_path):
    settings = file_of(f'database = "sqlite:///{tmp_path}/nowhere/state.sqlite3"\n{CLIENT % ""}'.encode())
    assert "database: " in cannot(run("serve", "--config", settings))


# --- the example ----------------------------------------------------------------------------------------------------


def test_the_example_is_valid_and_complete(monkeypatch):
    """Every setting there is stands in it, as a line or behind a comment sign, with words before it."""
    text = EXAMPLE.read_text(encoding="utf-8")
    config = Config.read(EXAMPLE, {})
    assert (len(config.clients), config.clients[0].keys[0]["crv"], bool(config.clients[1].jwks_url)) == (2, "P-384", True)
    shown = {line.lstrip("# ").partition(" = ")[0] for line in text.splitlines() if " = " in line}
    known = {name for model in (Config, CdsClient, BackendServices, SmartApp) for name in model.model_fields}
    assert known - shown == {"clients", "backend_services", "smart_apps", "keys", "dev", "key_file"}
    tables = {line.strip("[]") for line in text.splitlines() if line.startswith("[[")}
    assert tables == {"clients", "clients.keys", "backend_services", "smart_apps"}


def test_the_defaults_that_the_example_tells_are_the_defaults():
    told = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    fields = Config.model_fields
    for name in ("fetch_seconds", "requests_per_fhir_server", "max_body_bytes", "card_when_not_eligible", "database", "keep_days"):
        assert told[name] == fields[name].default, name


def test_the_database_may_come_from_the_environment():
    secret = "postgresql://user:secret@db.example/name"
    assert Config.read(EXAMPLE, {"RELAPSE_CDS_DATABASE": secret}).database == secret


def test_paths_count_from_the_file(file_of, tmp_path):
    config = Config.read(file_of(b'site_codes = "codes.csv"\n' + (CLIENT % "").encode()), {})
    assert config.site_codes == tmp_path / "codes.csv"


@pytest.mark.parametrize(("told", "meant"), [
    (None, "sqlite:///{beside}/relapse-cds.sqlite3"),
    ("sqlite:///state.sqlite3", "sqlite:///{beside}/state.sqlite3"),
    ("sqlite:///var/state.sqlite3?timeout=3", "sqlite:///{beside}/var/state.sqlite3?timeout=3"),
    ("sqlite+pysqlite:///state.sqlite3", "sqlite+pysqlite:///{beside}/state.sqlite3"),
    ("sqlite:////var/lib/state.sqlite3", "sqlite:////var/lib/state.sqlite3"),
    ("sqlite://", "sqlite://"),
    ("sqlite:///:memory:", "sqlite:///:memory:"),
    ("sqlite:///file:x?mode=memory&uri=true", "sqlite:///file:x?mode=memory&uri=true"),
    ("postgresql://db.example/relapse_cds", "postgresql://db.example/relapse_cds"),
])  # fmt: skip
def test_a_database_file_lies_beside_the_settings(file_of, tmp_path, monkeypatch, told, meant):
    """Whoever starts the service, or `feedback`, in another folder must find the same."""
    file = file_of(((f'database = "{told}"\n' if told else "") + CLIENT % "").encode())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for path in (file, Path("..") / file.name):
        config = Config.read(path, {})
        assert config.database.replace("/elsewhere/..", "") == meant.format(beside=tmp_path)


def test_a_database_of_the_environment_counts_from_where_the_command_was_started(file_of):
    """As do all paths that are given there, and as it does without a file."""
    assert Config.read(file_of((CLIENT % "").encode()), {"RELAPSE_CDS_DATABASE": "sqlite:///x.sqlite3"}).database == "sqlite:///x.sqlite3"


def test_no_database_is_made_inside_the_package():
    """The example may be tried where it lies."""
    assert Config.read(EXAMPLE, {}).database == "sqlite:///relapse-cds.sqlite3"


def test_feedback_reads_the_database_beside_the_settings(file_of, tmp_path, monkeypatch):
    file = file_of((CLIENT % "").encode())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert str(tmp_path / "relapse-cds.sqlite3") in cannot(run("feedback", "--config", file))
    State(f"sqlite:///{tmp_path}/relapse-cds.sqlite3").check()
    assert "No card" in run("feedback", "--config", file).stdout
