"""Each broken state names the one thing to mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from backtrace_jira.adapters.http import Http, Response
from backtrace_jira.errors import InvalidSettings
from tests.cli.checked_site import ID, ORDER, Broken, Site, assert_only
from tests.cli.conftest import PREFIX, answered, refuse

Break: TypeAlias = Callable[[Site], object]


def edit(**changes: Any) -> Break:
    return lambda site: site.integration.update(changes)


def connect(**changes: Any) -> Break:
    return lambda site: site.connection.update(changes)


def secret(text: str) -> Break:
    return lambda site: setattr(site, "jira_secret", text)


def fault(how: str, *arguments: Any, **more: Any) -> Break:
    return lambda site: getattr(site.jira.faults, how)(*arguments, **more)


def at(path: str) -> Break:
    """Point the connection to another path of the same host."""
    return lambda site: site.connection.update(jira_api=site.jira.url.replace("/rest/api/2/", path))


def redirected(target: str) -> Break:
    return fault("add", "*", "/rest/", None, status=302, headers={"Location": target}, body="<html></html>")


def with_field(kind: str, text: str, **more: Any) -> Break:
    def break_it(site: Site) -> None:
        site.integration["custom_fields"] = {site.field(10001, "Team", kind, **more): text}

    return break_it


def nearly_named(site: Site) -> None:
    site.field(10001, "Team", required=True)
    site.integration["custom_fields"] = {"Taem": "x"}


def two_fields_of_one_name(site: Site) -> None:
    site.field(10001, "Team", required=True)
    site.field(10002, "Team")
    site.integration["custom_fields"] = {"Team": "x"}


def locked(site: Site) -> None:
    site.jira.main_user.failures = 3


def sign_on_after_the_first(site: Site) -> None:
    site.jira.faults.add("GET", "/myself", None, page=True)


def refused_later(site: Site) -> None:
    site.jira.faults.unauthorized("GET", "/mypermissions")


CLOUD: dict[str, tuple[Break, Broken]] = {
    "v3": (at("/rest/api/3/"), Broken("endpoint", "version that is not supported", "configure", 0)),
    "no ending": (at("/"), Broken("endpoint", "does not end in /rest/api/2/", "configure", 0)),
    "plain http": (
        connect(jira_api="http://jira.example.com/rest/api/2/"),
        Broken("endpoint", "is not encrypted", "configure", 0),
    ),
    "nobody listens": (
        connect(jira_api="http://127.0.0.1:9/rest/api/2/"),
        Broken("reachable", "no connection", "host name, port, VPN, proxy", 0),
    ),
    "404": (at("/nowhere/rest/api/2/"), Broken("reachable", "404", "before /rest/api/2/ (such as /jira)", 0)),
    "404 in html": (
        fault("add", "*", "/rest/", None, status=404, body="<html>Page unavailable</html>"),
        Broken("reachable", "404", "Correct jira_api", 0),
    ),
    "login page": (
        fault("add", "*", "/rest/", None, page=True),
        Broken("reachable", "a login page", "sign-on proxy", 0),
    ),
    "sign-on proxy": (
        redirected("https://sso.example.com/login?back=canary-session"),
        Broken("reachable", "redirected to https://sso.example.com/login ", "sign-on proxy", 0),
    ),
    "moved": (
        redirected("https://jira.example.com/jira/rest/api/2/serverInfo"),
        Broken("reachable", "https://jira.example.com/jira/rest/api/2 ", "Give the address that it leads to", 0),
    ),
    "firewall": (
        fault("add", "*", "/rest/", None, status=403, body="<html>Forbidden</html>"),
        Broken("reachable", "a proxy or firewall", "pass the sign-on proxy or firewall", 0),
    ),
    "down": (fault("unavailable", times=None), Broken("reachable", "503", "run this again", 0)),
    "not a Jira": (
        fault("add", "*", "/rest/", None, status=200, body={"hello": "world"}),
        Broken("reachable", "no Jira REST API", "Correct jira_api", 0),
    ),
    "cut off": (
        fault("add", "*", "/rest/", None, drop_before=True),
        Broken("reachable", "no answer came", "proxy before it", 0),
    ),
    "wrong token, answered as anonymous": (
        secret("canary-wrong"),
        Broken("credential", "does not accept this user and token", "A token with scopes", 1),
    ),
    "wrong token, answered by 200": (
        fault(
            "add", "*", "/myself", None, status=200, body={"accountId": "x"},
            headers={"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"},
        ),
        Broken("credential", "does not accept this user and token", "--ask-secrets", 1),
    ),
    "CAPTCHA": (locked, Broken("credential", "CAPTCHA", "Log in once in a browser", 1)),
    "throttled": (
        fault("rate_limited", 30, "*", "/myself", None),
        Broken("credential", "429", "run this again in 30 seconds", 1),
    ),
    "sign-on page for accounts": (sign_on_after_the_first, Broken("credential", "a page instead", "sign-on proxy", 1)),
    "refused later": (refused_later, Broken("project", "does not accept", "--ask-secrets", 2)),
    "password": (
        connect(credential="password"),
        Broken("credential_kind", "Jira Cloud does not accept", "credential: api_token", 0),
    ),
    "personal access token": (
        connect(credential="personal_access_token"),
        Broken("credential_kind", "Jira Cloud does not have", "credential: api_token", 0),
    ),
    "unknown project": (edit(project_key="NOPE"), Broken("project", "NOPE does not exist", "Correct project_key")),
    "unknown project by a custom field": (
        edit(custom_fields={"Project": "NOPE"}),
        Broken("project", "NOPE does not exist", "Correct custom_fields.Project"),
    ),
    "no browse permission": (
        lambda site: site.jira.deny("BROWSE_PROJECTS"),
        Broken("project", "may not see it", "Browse Projects"),
    ),
    "no create permission": (
        lambda site: site.jira.deny("CREATE_ISSUES"),
        Broken("permission", "lacks Create Issues in BUG", "permission scheme"),
    ),
    "unknown type": (
        edit(issue_type="Defect"),
        Broken("issue_type", "Bug, Task, Story, Epic", "Write one of these as issue_type"),
    ),
    "missing required value": (
        lambda site: site.field(10001, "Team", "select", options=("Red", "Green"), required=True),
        Broken("required_fields", "Team (customfield_10001)", "custom_fields"),
    ),
    "labels not on the screen": (
        lambda site: site.jira.remove_field("labels"),
        Broken("labels_and_description", "labels: BUG has no such field", "set labels_field"),
    ),
    "description not on the screen": (
        lambda site: site.jira.remove_field("description"),
        Broken("labels_and_description", "description: BUG has no such field", "set description_field"),
    ),
    "labels field that takes no labels": (
        lambda site: site.integration.update(labels_field=site.field(10001, "Size", "number")),
        Broken("labels_and_description", "takes a number", "set labels_field"),
    ),
    "field not on the screen": (
        edit(custom_fields={"customfield_10999": "x"}),
        Broken("custom_fields", "customfield_10999: BUG has no such field", "Correct it in custom_fields"),
    ),
    "field nearly named": (
        nearly_named,
        Broken("custom_fields", "did you mean Team", "Correct it in custom_fields"),
    ),
    "ambiguous name": (
        two_fields_of_one_name,
        Broken("custom_fields", "customfield_10001 (Team), customfield_10002 (Team)", "custom_fields"),
    ),
    "value not on the list": (
        with_field("select", "Blue", options=("Red", "Green")),
        Broken("custom_fields", "takes one of these: Red, Green", "custom_fields"),
    ),
    "no number": (with_field("number", "many"), Broken("custom_fields", "takes a number", "custom_fields")),
    "unknown user": (
        with_field("user", "nobody@example.com"),
        Broken("custom_fields", "takes a user", "custom_fields"),
    ),
    "unknown attribute": (
        edit(subject="$eror.message in $application"),
        Broken("attributes", "does not know eror.message", "Project Settings > Attributes"),
    ),
    "unknown attribute in an action": (
        edit(actions=[{"action": "filter", "attribute": "datacenter", "regex": "^nyc$"}]),
        Broken("attributes", "datacenter", "Project Settings > Attributes"),
    ),
    "Backtrace token refused": (
        lambda site: setattr(site, "backtrace_secret", "canary-wrong"),
        Broken("backtrace", "invalid token", "query:post"),
    ),
    "unknown Backtrace project": (
        lambda site: site.backtrace.projects.clear(),
        Broken("backtrace", "no such project", "universe and project"),
    ),
    "Backtrace away": (
        lambda site: site.universe.update(address="http://127.0.0.1:9"),
        Broken("backtrace", "no connection", "section backtrace"),
    ),
}  # fmt: skip
ON_SITE: dict[str, tuple[Break, str, Broken]] = {
    "wrong context path": (
        at("/wiki/rest/api/2/"),
        "password",
        Broken("reachable", "404", "(such as /jira)", 0),
    ),
    "wrong password": (
        secret("canary-wrong"),
        "password",
        Broken("credential", "does not accept", "personal_access_token", 1),
    ),
    "e-mail for a user name": (
        connect(email="fred@example.com"),
        "api_token",
        Broken("credential", "does not accept", "wants the user name", 1),
    ),
    "expired access token": (
        secret("canary-wrong"),
        "personal_access_token",
        Broken("credential", "does not accept", "new personal access token", 1),
    ),
    "CAPTCHA": (locked, "password", Broken("credential", "CAPTCHA", "Log in once in a browser", 1)),
    "no create permission": (
        lambda site: site.jira.deny("CREATE_ISSUES"),
        "password",
        Broken("permission", "lacks Create Issues", "permission scheme"),
    ),
    "unknown project": (
        edit(project_key="NOPE"),
        "password",
        Broken("project", "NOPE", "Correct project_key"),
    ),
}


@pytest.mark.parametrize("state", CLOUD)
def test_a_broken_state_names_the_one_thing_to_mend(cloud: Site, state: str) -> None:
    break_it, broken = CLOUD[state]
    break_it(cloud)
    assert_only(cloud, broken)


@pytest.mark.parametrize("state", ON_SITE)
def test_a_broken_state_on_data_center(on_site: Callable[..., Site], state: str) -> None:
    break_it, kind, broken = ON_SITE[state]
    site = on_site(kind=kind)
    break_it(site)
    assert_only(site, broken)


def test_jira_11_takes_no_password(on_site: Callable[..., Site]) -> None:
    assert_only(
        on_site("11.0.0", "password"),
        Broken("credential_kind", "no basic authentication", "personal access token", 1),
    )


def test_an_old_server_has_no_access_tokens(on_site: Callable[..., Site]) -> None:
    assert_only(on_site("8.13.0"), Broken("credential_kind", "8.14 and later", "credential: password", 0))


def test_an_untrusted_certificate(cloud: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    send = Http.send

    def distrusting(self: Http, method: str, url: str, **more: Any) -> Response:
        if url.endswith("/serverInfo"):
            raise InvalidSettings(f"{method} {url}: the server's certificate is not trusted")
        return send(self, method, url, **more)

    monkeypatch.setattr(Http, "send", distrusting)
    assert_only(cloud, Broken("reachable", "certificate is not trusted", "public authority", 0))


# ── what is stored is broken ──


@pytest.mark.parametrize(
    ("name", "text", "broken"),
    [
        ("connections/main", "{", Broken("endpoint", "connections/main: is not JSON", "configure", 0)),
        (f"integrations/{ID}", "{}", Broken("endpoint", "universe: Field required", "configure", 0)),
        ("secrets/jira/main", " ", Broken("credential", "is empty", "--ask-secrets", 0)),
        ("secrets/jira/main", "a\nb", Broken("credential", "line end", "--ask-secrets", 0)),
        ("backtrace/my_universe", "[]", Broken("backtrace", "backtrace/my_universe", "configure")),
        (
            "connections/main",
            None,
            Broken("endpoint", "connections/main: the parameter is missing", "configure", 0),
        ),
        ("secrets/jira/main", None, Broken("credential", "the secret is missing", "--ask-secrets", 0)),
        (
            "secrets/backtrace/my_universe",
            None,
            Broken("backtrace", "the secret is missing", "--ask-secrets"),
        ),
    ],
)
def test_a_stored_parameter_that_is_not_usable(
    cloud: Site, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None, broken: Broken
) -> None:
    store = cloud.store

    def store_broken() -> None:
        store()
        cloud.operator.ssm.delete_parameter(Name=f"{PREFIX}/{name}")
        if text is not None:
            cloud.put(name, text, "SecureString" if "secrets" in name else "String")

    monkeypatch.setattr(cloud, "store", store_broken)
    assert_only(cloud, broken)


def test_an_integration_that_cannot_be_read_still_has_its_backtrace_checked(cloud: Site) -> None:
    cloud.integration["colour"] = "red"
    found = cloud.findings()
    assert (found["endpoint"]["status"], found["backtrace"]["status"]) == ("failed", "ok")
    assert found["attributes"]["found"] == "not checked: see endpoint"


def test_a_secret_that_may_not_be_read_is_one_sentence(cloud: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.store()
    denied = answered("AccessDeniedException", "GetParameter")
    refuse(monkeypatch, lambda operation, _: denied if operation == "GetParameter" else None)
    result = cloud.operator.call("check")
    assert result.exit_code == 1
    assert "ssm:GetParameter" in result.stderr


def test_what_could_not_be_looked_at_names_the_check_that_failed(cloud: Site) -> None:
    cloud.connection["credential"] = "password"
    found = cloud.findings()
    assert found["credential"]["found"] == "not checked: it was not sent, see credential kind"
    assert {found[name]["found"] for name in ORDER[4:11]} == {"not checked: see credential kind"}
