"""The floor: what any Flask service costs that reads this body. The same server and settings, no judgement.

A bare route parses the body with the fastest parser there is and answers with a constant. Run by `servers.py`.
"""

from __future__ import annotations

import sys

import orjson
from flask import Flask, Response, request

from hooks.server import serve

NOTHING = b'{"cards":[]}'


def create_floor() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        orjson.loads(request.get_data())
        return Response(NOTHING, content_type="application/json")

    @app.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "alive"}

    return app


if __name__ == "__main__":
    serve(create_floor, "127.0.0.1", port=int(sys.argv[1]), workers=int(sys.argv[2]))
