"""`relapse-cds demo`: everything at once on this machine, with children who do not exist."""

from __future__ import annotations

import errno
import logging
import socket

import click
from flask import Flask
from werkzeug.serving import make_server

from hooks.app import create_app
from hooks.checklist.registration import SmartApp
from hooks.command_line import CannotDo
from hooks.config import Config
from hooks.demo import FHIR, create_demo
from hooks.logs import configure_logs


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free port.")
def demo(port: int) -> None:
    """See it work: a FHIR server with invented children, the service, and a chart that calls it."""
    configure_logs(quiet=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the page shows every call; the terminal shows the address
    with _listening(port) as listener:
        server = make_server("127.0.0.1", port, Flask(__name__), threaded=True, fd=listener.fileno())
    address = f"http://127.0.0.1:{server.port}"
    app = SmartApp(fhir_server=f"{address}{FHIR}", client_id="relapse-cds")
    settings = Config.development().model_copy(update={"public_url": address, "contact": "nobody, this is a demonstration", "smart_apps": (app,)})
    server.app = create_demo(service_app_factory=lambda: create_app(settings))
    click.echo(f"{address}/")
    click.echo("Open it in a browser. All children are invented. Ctrl-C ends it.", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _listening(port: int) -> socket.socket:
    """Werkzeug would print its own two lines about a port that it cannot have, and leave."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({(error.strerror or 'unknown error').lower()})"
        raise CannotDo(f"port {port} {why}; choose another with --port, or --port 0 for any") from None
