"""Files of an export that lie elsewhere: who sees our token, and that nothing secret is told or kept."""

from __future__ import annotations

import pytest

import hostile_fhir
from exported import FILES, PATIENTS, SECRET, STATE, WHOLE, Run, contents, going_on
from exporting_fhir import Exporting
from hooks.screen.export_error import ExportError
from hostile_fhir import HostileFhir
from own_ca import OwnCa


@pytest.mark.parametrize("needed, why", [(True, "access token to be shown to another server"), (None, "access token to be shown"), (False, "without TLS")])
def test_a_file_on_another_server_is_not_fetched_with_our_token_nor_without_tls(tmp_path, needed, why):
    with HostileFhir(Exporting(FILES)) as elsewhere:
        with HostileFhir(Exporting(output=[{"type": "Patient", "url": f"{elsewhere.url}/files/Patient.ndjson"}], requiresAccessToken=needed)) as server:
            with pytest.raises(ExportError, match=why) as refused:
                Run(server, tmp_path)
        assert elsewhere.heard == [] and elsewhere.url not in str(refused.value)


def test_a_file_in_a_store_is_fetched_without_our_token(tmp_path):
    ca = OwnCa(tmp_path / "ca")
    with ca.serving(Exporting(FILES)) as store:
        output = [{"type": "Patient", "url": f"{store.url}/files/Patient.ndjson?signature=key-to-the-data"}]
        with HostileFhir(Exporting(output=output, requiresAccessToken=False)) as server:
            run = Run(server, tmp_path / "out", ca_bundle=str(ca.bundle))
            assert all(headers["Authorization"] == f"Bearer {SECRET}" for _, headers in server.heard)
        ((path, headers),) = store.heard
    assert "Authorization" not in headers and SECRET not in repr(headers) and path.endswith("key-to-the-data")
    assert contents(tmp_path / "out") == {"Patient.1.ndjson": PATIENTS}
    assert "key-to-the-data" not in (tmp_path / "out" / STATE).read_text() + repr(run.told)


def test_a_file_of_the_server_itself_that_needs_no_token_gets_none(tmp_path):
    with HostileFhir(Exporting(FILES, requiresAccessToken=False)) as server:
        Run(server, tmp_path)
        assert all("Authorization" not in headers for path, headers in server.heard if "/files/" in path)


def test_a_redirect_of_a_file_to_a_store_is_followed_without_our_token(tmp_path):
    ca = OwnCa(tmp_path / "ca")
    with ca.serving(Exporting(FILES)) as store:
        moved = hostile_fhir.redirect_to(f"{store.url}/files/Patient.ndjson")
        with HostileFhir(Exporting(FILES, instead={"/fhir/files/Patient.ndjson": [moved]})) as server:
            Run(server, tmp_path / "out", ca_bundle=str(ca.bundle))
        ((_, headers),) = store.heard
    assert "Authorization" not in headers and contents(tmp_path / "out") == WHOLE


def test_a_redirect_of_a_file_without_tls_is_not_followed(tmp_path):
    with HostileFhir(Exporting(FILES)) as elsewhere:
        moved = hostile_fhir.redirect_to(f"{elsewhere.url}/files/Patient.ndjson")
        with HostileFhir(Exporting(FILES, instead={"/fhir/files/Patient.ndjson": [moved]})) as server, pytest.raises(ExportError, match="without TLS"):
            Run(server, tmp_path)
        assert elsewhere.heard == []


def test_nothing_secret_is_told_or_kept(tmp_path, caplog, capsys):
    caplog.set_level("DEBUG")
    with HostileFhir(Exporting(FILES, polls=[going_on()])) as server:
        run = Run(server, tmp_path)
        for bad in ("a\r\nb", ""):
            with pytest.raises(ExportError, match="^the access token is malformed$"):
                Run(server, tmp_path / "bad", bad)
    seen = caplog.text + "".join(capsys.readouterr()) + repr(run.told) + (tmp_path / STATE).read_text()
    assert SECRET not in seen and "p17" not in seen and "files/" not in seen
