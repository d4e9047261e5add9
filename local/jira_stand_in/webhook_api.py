"""Registering webhooks: one endpoint on Cloud and Data Center 9 and older, another on Data Center 10 and later.

The new one silently ignores what it does not know: a `secret` or `filters` beside `configuration` (JRASERVER-78733).
"""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, request

from local.jira_stand_in.call import WEBHOOKS, answer, body, login, no_content, state
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.webhooks import Webhook, Webhooks

routes = Blueprint("webhooks", __name__)

OLD, NEW = "/rest/webhooks/1.0/webhook", "/rest/jira-webhook/1.0/webhooks"
SECTION = "issue-related-events-section"


def webhooks() -> Webhooks:
    return cast(Webhooks, request.environ[WEBHOOKS])


def _administrator(*, new: bool) -> str:
    """Refuse who is no administrator; return the name of who is."""
    if new is not (not state().cloud and state().version >= (10,)):
        raise JiraError(404, body={"message": "null for uri", "status-code": 404})
    user = login()
    if not state().may(user, "ADMINISTER"):
        raise JiraError(403, "You do not have permission to administer webhooks.")
    return user.display_name


def _hook(hook_id: str) -> Webhook:
    found = next((hook for hook in webhooks().hooks if hook.id == hook_id), None)
    if found is None:
        raise JiraError(404, "The webhook does not exist.")
    return found


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value or ())


def _old_json(hook: Webhook, by: str) -> dict[str, Any]:
    return {
        "name": hook.name,
        "url": hook.url,
        "events": list(hook.events),
        "filters": {SECTION: hook.jql},
        "excludeBody": hook.exclude_body,
        "enabled": hook.enabled,
        "self": f"{OLD}/{hook.id}",
        "lastUpdatedUser": by,
        "lastUpdatedDisplayName": by,
        "lastUpdated": round(state().clock() * 1000),
        **({"isSigned": bool(hook.secret)} if state().cloud else {}),
    }


def _new_json(hook: Webhook) -> dict[str, Any]:
    return {
        "id": int(hook.id),
        "name": hook.name,
        "url": hook.url,
        "active": hook.enabled,
        "events": list(hook.events),
        "configuration": {"EXCLUDE_BODY": str(hook.exclude_body).lower(), "FILTERS": hook.jql},
        "sslVerificationRequired": True,
    }


def _apply_old(hook: Webhook, wanted: dict[str, Any]) -> None:
    hook.name = str(wanted.get("name", hook.name))
    hook.url = str(wanted.get("url", hook.url))
    hook.events = _texts(wanted.get("events", hook.events))
    hook.jql = str((wanted.get("filters") or {}).get(SECTION, hook.jql))
    hook.exclude_body = bool(wanted.get("excludeBody", hook.exclude_body))
    hook.enabled = bool(wanted.get("enabled", hook.enabled))
    if state().cloud:
        hook.secret = str(wanted.get("secret", hook.secret))


def _apply_new(hook: Webhook, wanted: dict[str, Any]) -> None:
    settings = wanted.get("configuration") or {}
    hook.name = str(wanted.get("name", hook.name))
    hook.url = str(wanted.get("url", hook.url))
    hook.events = _texts(wanted.get("events", hook.events))
    hook.enabled = bool(wanted.get("active", hook.enabled))
    hook.jql = str(settings.get("FILTERS", hook.jql))
    hook.exclude_body = str(settings.get("EXCLUDE_BODY", hook.exclude_body)).lower() == "true"
    hook.secret = str(settings.get("SECRET", hook.secret))


def _new() -> Webhook:
    wanted = body()
    missing = [name for name in ("name", "url") if not wanted.get(name)]
    if missing:
        raise JiraError(400, errors={name: f"{name} is required" for name in missing})
    hook = Webhook(state().next_id(), "", "", ())
    webhooks().hooks.append(hook)
    return hook


@routes.get(OLD)
def old_list() -> Response:
    by = _administrator(new=False)
    return answer([_old_json(hook, by) for hook in webhooks().hooks])


@routes.post(OLD)
def old_create() -> Response:
    by = _administrator(new=False)
    hook = _new()
    _apply_old(hook, body())
    return answer(_old_json(hook, by), 201)


@routes.get(f"{OLD}/<hook_id>")
def old_read(hook_id: str) -> Response:
    by = _administrator(new=False)
    return answer(_old_json(_hook(hook_id), by))


@routes.put(f"{OLD}/<hook_id>")
def old_change(hook_id: str) -> Response:
    by = _administrator(new=False)
    _apply_old(_hook(hook_id), body())
    return answer(_old_json(_hook(hook_id), by))


@routes.get(NEW)
def new_list() -> Response:
    _administrator(new=True)
    return answer([_new_json(hook) for hook in webhooks().hooks])


@routes.post(NEW)
def new_create() -> Response:
    _administrator(new=True)
    hook = _new()
    _apply_new(hook, body())
    return answer(_new_json(hook), 201)


@routes.get(f"{NEW}/<hook_id>")
def new_read(hook_id: str) -> Response:
    _administrator(new=True)
    return answer(_new_json(_hook(hook_id)))


@routes.put(f"{NEW}/<hook_id>")
def new_change(hook_id: str) -> Response:
    _administrator(new=True)
    _apply_new(_hook(hook_id), body())
    return answer(_new_json(_hook(hook_id)))


@routes.delete(f"{OLD}/<hook_id>")
def old_delete(hook_id: str) -> Response:
    _administrator(new=False)
    webhooks().hooks.remove(_hook(hook_id))
    return no_content()


@routes.delete(f"{NEW}/<hook_id>")
def new_delete(hook_id: str) -> Response:
    _administrator(new=True)
    webhooks().hooks.remove(_hook(hook_id))
    return no_content()
