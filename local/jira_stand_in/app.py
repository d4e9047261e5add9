"""The Flask application: the endpoints, authentication, and Jira's own error bodies."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterable
from functools import cache
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from local.jira_stand_in import (
    auth,
    call,
    createmeta,
    issue_links,
    issues,
    links,
    metadata,
    pages,
    people,
    search,
    versions,
    webhook_api,
)
from local.jira_stand_in.call import STATE, WEBHOOKS
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.state import State
from local.jira_stand_in.webhooks import Webhooks


def create_app(state: State, webhooks: Webhooks) -> WSGIApplication:
    """Return the application over a state and its webhooks.

    All stand-ins of a process share the routes, which take long to compile; each request brings its state along.
    """
    served = _routes().wsgi_app

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return served(environ | {STATE: state, WEBHOOKS: webhooks}, start_response)

    return application


@cache
def _routes() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    auth.install(app)
    for module in (
        metadata,
        createmeta,
        issues,
        issue_links,
        links,
        people,
        search,
        pages,
        versions,
        webhook_api,
    ):
        app.register_blueprint(module.routes)
    _install_errors(app)
    _install_headers(app)
    return app


def _install_errors(app: Flask) -> None:
    @app.errorhandler(JiraError)
    def refused(error: JiraError) -> Response:
        text = error.body if isinstance(error.body, str) else json.dumps(error.body)
        return Response(text, error.status, error.headers, content_type=f"{error.content_type};charset=UTF-8")

    @app.errorhandler(HTTPException)
    def unknown(error: HTTPException) -> Response:
        status = error.code or 500
        if call.state().cloud:
            return _problem(status, error.name)
        body = {"message": f"null for uri: {request.url}", "status-code": status}
        return Response(json.dumps(body), status, content_type="application/json;charset=UTF-8")


def _problem(status: int, title: str) -> Response:
    """Return what Cloud gives for an unknown path: RFC 7807 (recorded)."""
    detail = f"No endpoint {request.method} {request.path}."
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    return Response(json.dumps(body), status, content_type="application/problem+json")


def _install_headers(app: Flask) -> None:
    numbers = itertools.count(1)

    @app.after_request
    def stamp(response: Response) -> Response:
        """Add the headers real answers carry; a client logs Atl-Traceid and X-Arequestid."""
        response.headers["X-Arequestid"] = f"{next(numbers)}x1x1"
        response.headers["Cache-Control"] = "no-cache, no-store, no-transform"
        if call.state().cloud:
            response.headers["Server"] = "AtlassianEdge"
            response.headers["Atl-Request-Id"] = str(uuid.uuid4())
            response.headers["Atl-Traceid"] = uuid.uuid4().hex
        else:
            response.headers["X-ANODEID"] = "node1"
        return response
