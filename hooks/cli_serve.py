"""`relapse-cds serve`: what it takes to be started in a hospital, told before anything is served."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from hooks.backend_services import BackendError, private_key
from hooks.checklist.registration import SecretMissing
from hooks.command_line import CannotDo, configured, use_site_codes
from hooks.config import Config
from hooks.config_faults import ordinal
from hooks.fhir_address import is_loopback
from hooks.logs import configure_logs
from hooks.state import State, StateError


@click.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings, a TOML file; see relapse-cds.example.toml.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=min(4, (os.cpu_count() or 1) + 1), show_default=True, help="Processes.")
@click.option("--check", is_flag=True, help="Only validate the configuration.")
@click.option("--dev", is_flag=True, help="Development: loopback only, no caller checked, any FHIR server on loopback.")
def serve(config_file: Path | None, host: str, port: int, workers: int, check: bool, dev: bool) -> None:
    """Answer CDS Hooks calls with several worker processes.

    Every caller is verified by its signed token, so the configuration must name at least one client. TLS is for the
    proxy in front.
    """
    from hooks.server import run

    config = configured(config_file, dev)
    if config.dev and host not in ("127.0.0.1", "localhost", "::1"):
        raise CannotDo("--dev listens on loopback only; leave --host out")
    state = _usable(config)
    for server in _without_tls(config):
        click.echo(f"Warning: {server}: plain http, so tokens and patients' data are not encrypted on their way; use https if this server can", err=True)
    if check:
        click.echo("The configuration is valid.")
        return
    if config.dev:
        click.echo("DEVELOPMENT MODE: no caller is checked. Never use it with patient data.", err=True)
    try:
        state.check()
    except StateError as why:
        raise CannotDo(f"database: {why}") from None
    finally:
        state.close()
    _free(host, port)
    configure_logs()
    click.echo(f"Listening on http://{host}:{port}/cds-services with {workers} workers. Ctrl-C ends it.", err=True)
    with TemporaryDirectory(prefix="relapse-cds-development-") as folder:
        if state.in_memory:  # every worker would have a memory of its own
            config = config.model_copy(update={"database": f"sqlite:///{folder}/state.sqlite3"})
        run(config, host, port, workers)


def _usable(config: Config) -> State:
    """What can only be seen beside the file: the site's codes, our private keys, the database's address, whether anybody may
    call. Gives the database, not opened yet."""
    use_site_codes(config)
    try:
        for backend in config.backend_services:
            private_key(backend)
        for app in config.smart_apps:
            app.secret()
    except (BackendError, SecretMissing) as error:
        raise CannotDo(str(error)) from None
    try:
        state = State(config.database)
    except StateError as why:
        raise CannotDo(f"database: {why}") from None
    if not config.clients and not config.dev:
        raise CannotDo(
            "no clients are configured, so nobody may call: describe each EHR under [[clients]] in a file given with --config "
            "(hooks/relapse-cds.example.toml shows how), or use --dev on this machine alone"
        )
    servers = {server for client in config.clients for server in client.fhir_servers}
    for place, backend in enumerate(config.backend_services):
        if backend.fhir_server not in servers and not config.dev:
            raise CannotDo(
                f"backend_services, {ordinal(place)}: no client lists {backend.fhir_server} among its fhir_servers, so no call could use it; "
                "list it there, or keep it in a file of settings for the other commands"
            )
    return state


def _without_tls(config: Config) -> list[str]:
    """FHIR servers that would be spoken to in the open, beyond this machine. Allowed (fhir_address.py), and to be known. Key
    sets and token endpoints cannot be such: their addresses are https, or on this machine."""
    servers = dict.fromkeys(server for client in config.clients for server in client.fhir_servers)
    return [server for server in servers if server.startswith("http://") and not is_loopback(server)]


def _free(host: str, port: int) -> None:
    """Say plainly that an address cannot be had, before any worker starts."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CannotDo(f"cannot listen on {host} port {port} ({(error.strerror or 'unknown error').lower()}); choose another") from None
