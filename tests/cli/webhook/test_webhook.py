"""`backtrace-jira webhook`: what is registered in Jira after it, on every kind of server, and that no secret shows."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import Result

from backtrace_jira.adapters.aws.webhook_secrets import SHORTEST_AGE, SSMWebhookSecrets
from backtrace_jira.jira.webhook import is_secret, is_signed
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.webhook.registration import EVENTS, JiraWebhooks
from local.jira_stand_in.webhooks import Webhook
from tests.cli.checked_site import ID, Site
from tests.cli.conftest import PREFIX, Operator, answered, refuse

ADDRESS = "https://abc.execute-api.eu-west-1.amazonaws.com/jira"
NAME = "backtrace-jira dev main"
JQL = 'project in ("BUG")'
SECRET = "secrets/webhook/main"
SIGNED = "sha256={}"


@pytest.fixture(params=["cloud", "9.12.0", "10.3.0"])
def site(request: pytest.FixtureRequest, operator: Operator) -> Site:
    if request.param == "cloud":
        made = request.getfixturevalue("cloud")
    else:
        made = request.getfixturevalue("on_site")(request.param)
    return ready(made)


def ready(site: Site) -> Site:
    site.store()
    site.put("deployment/webhook_url", ADDRESS)
    site.jira.allow("ADMINISTER")
    return site


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr("backtrace_jira_cli.webhook.installation.time.sleep", seconds.append)
    return seconds


def hook(site: Site) -> Webhook:
    (found,) = site.jira.webhooks.hooks
    return found


def stored(site: Site) -> list[str]:
    kind, text = site.operator.stored().get(SECRET, ("", ""))
    assert kind in ("", "SecureString")
    return text.splitlines()


def ran(site: Site, *arguments: str, code: int = 0) -> Result:
    """Run a command twice over: what it prints, and what it says to machines, holds no secret."""
    before = stored(site)
    result = site.operator.call("webhook", *arguments)
    assert result.exit_code == code, result.output
    for secret in [*before, *stored(site), site.jira_secret]:
        assert secret not in result.output
    return result


def report(site: Site, *arguments: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran(site, *arguments, "--json", code=code).stdout)
    first: dict[str, Any] = found["connections"][0]
    return first


def writes(site: Site) -> list[str]:
    return [each.method for each in site.jira.requests if each.method != "GET"]


def signs(site: Site) -> bool:
    return site.jira.webhooks.signs


# ── install ──


def test_it_is_registered_and_what_jira_sends_is_accepted(site: Site) -> None:
    assert "main: registered" in ran(site, "install").stdout
    found, (secret,) = hook(site), stored(site)
    assert len(secret) >= 43
    assert (found.name, found.events, found.jql) == (NAME, EVENTS, JQL)
    assert (found.exclude_body, found.enabled) == (False, True)
    assert found.url == (f"{ADDRESS}/main" if signs(site) else f"{ADDRESS}/main/{secret}")
    site.jira.create_issue("A bug")
    site.jira.transition("BUG-1", "Done")
    (delivery,) = site.jira.webhooks.outbox
    if signs(site):
        assert is_signed(delivery.body, delivery.headers["X-Hub-Signature"], secret)
    else:
        assert "X-Hub-Signature" not in delivery.headers


def test_a_second_run_changes_nothing_and_says_so(site: Site) -> None:
    ran(site, "install")
    before, secret = replace(hook(site)), stored(site)
    site.jira.clear_log()
    assert "nothing was changed" in ran(site, "install").stdout
    assert report(site, "install")["outcome"] == "unchanged"
    assert (hook(site), stored(site), writes(site)) == (before, secret, [])


def test_a_server_that_cannot_sign_has_the_secret_in_the_address_and_that_is_said(
    on_site: Callable[..., Site],
) -> None:
    site = ready(on_site("9.12.0"))
    assert "This server cannot sign its webhooks" in ran(site, "install").stdout


@pytest.mark.parametrize(
    ("column", "broken"),
    [
        ("enabled", {"enabled": False}),
        ("events", {"events": ("jira:issue_updated", "comment_created")}),
        ("body", {"exclude_body": True}),
        ("jql", {"jql": "project = OTHER"}),
        ("url", {"url": "https://old.example.com/jira/main"}),
    ],
)
def test_drift_is_shown_and_mended(site: Site, column: str, broken: dict[str, Any]) -> None:
    ran(site, "install")
    before = replace(hook(site))
    site.jira.webhooks.hooks[0] = replace(before, **broken)
    shown = report(site, "status", code=1)
    assert shown["outcome"] == "not_fine"
    assert [name for name, text in shown["state"].items() if text == "no"] == [column]
    assert "main: updated" in ran(site, "install").stdout
    assert hook(site) == before
    assert report(site, "status")["outcome"] == "fine"


def test_more_projects_are_told_of_once_an_integration_has_one(site: Site) -> None:
    ran(site, "install")
    more = site.integration | {"name": "other", "project_key": 'O"PS'}
    site.put("integrations/my_universe/my_project/other", more)
    ran(site, "install")
    assert hook(site).jql == 'project in ("BUG", "O\\"PS")'


def test_a_registration_that_leads_to_us_twice_is_left_once(site: Site) -> None:
    ran(site, "install")
    site.jira.webhooks.hooks.append(replace(hook(site), id="99", name="a copy"))
    assert "second registration" in ran(site, "install").stdout
    assert hook(site).name == NAME


def test_nobody_elses_registration_is_touched(site: Site) -> None:
    theirs = site.jira.add_webhook("https://ci.example.com/hook", jql="project = X")
    before = replace(theirs)
    ran(site, "install")
    ran(site, "install", "--rotate-secret")
    ran(site, "remove")
    assert site.jira.webhooks.hooks == [before]


def test_an_answer_that_is_lost_is_looked_after_before_anything_is_sent_again(site: Site) -> None:
    site.jira.faults.add("POST", "webhook", drop_after=True)
    ran(site, "install")
    assert hook(site).name == NAME
    site.jira.webhooks.hooks.clear()
    site.jira.faults.add("POST", "webhook", drop_before=True)
    assert "sent, but no answer came" in ran(site, "install", code=1).output
    assert site.jira.webhooks.hooks == []
    ran(site, "install")
    assert hook(site).url.startswith(ADDRESS)


def test_what_jira_silently_ignores_is_noticed(on_site: Callable[..., Site]) -> None:
    site = ready(on_site("10.3.0"))
    ignored = {"id": 1, "name": NAME, "url": f"{ADDRESS}/main", "events": list(EVENTS), "configuration": {}}
    site.jira.faults.add("GET", "webhooks$", skip=1, status=200, body=[ignored])
    text = ran(site, "install", code=1).output
    assert "Jira accepted the registration, and yet: the filter is empty" in text


def test_jira_repeats_what_it_was_sent_and_it_does_not_show(on_site: Callable[..., Site]) -> None:
    site = ready(on_site("9.12.0"))
    ran(site, "install")
    (secret,) = stored(site)
    site.jira.webhooks.hooks[0].enabled = False
    words = {"errorMessages": [f"\x1b[2Jno {ADDRESS}/main/{secret} {site.jira_secret}"]}
    site.jira.faults.add("PUT", "webhook", times=2, status=400, body=words)
    text = ran(site, "install", code=1).output
    assert f"no {ADDRESS}/main/*** ***" in text
    assert "\x1b" not in text
    ran(site, "install", "--json", code=1)


def test_a_run_that_is_cut_off_before_the_secret_is_stored_is_made_good(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, lambda op, _: answered("AccessDeniedException", op) if op == "PutParameter" else None)
        assert "ssm:PutParameter" in ran(site, "install", code=1).output
    ran(site, "install")
    (secret,) = stored(site)
    assert hook(site).secret == secret if signs(site) else hook(site).url.endswith(f"/{secret}")


# ── rotation ──


def test_a_rotation_never_leaves_jira_with_a_secret_that_is_not_accepted(
    site: Site, monkeypatch: pytest.MonkeyPatch, waited: list[float]
) -> None:
    ran(site, "install")
    (old,) = stored(site)
    used: list[bool] = []
    original = JiraWebhooks.change

    def watched(jira: JiraWebhooks, *arguments: Any) -> None:
        used.append(old in stored(site) and len(stored(site)) == 2 and waited != [])
        original(jira, *arguments)

    monkeypatch.setattr(JiraWebhooks, "change", watched)
    assert "the secret was replaced" in ran(site, "install", "--rotate-secret").stdout
    new = stored(site)[0]
    assert (used, stored(site)[1:], new != old) == ([True], [old], True)
    assert hook(site).secret == new if signs(site) else hook(site).url.endswith(f"/{new}")
    assert is_secret(old, "\n".join(stored(site)))
    assert "a former secret is still accepted" in ran(site, "status").stdout
    assert "not accepted any more" in ran(site, "install").stdout
    assert stored(site) == [new]
    assert report(site, "install")["outcome"] == "unchanged"


def test_a_rotation_that_is_cut_off_goes_on_with_the_next_run(site: Site) -> None:
    ran(site, "install")
    (old,) = stored(site)
    site.jira.faults.add("PUT", "webhook", status=502, body="")
    ran(site, "install", "--rotate-secret", code=1)
    assert stored(site)[1:] == [old]
    ran(site, "install")
    (new,) = stored(site)
    assert hook(site).secret == new if signs(site) else hook(site).url.endswith(f"/{new}")


def test_a_receiver_that_has_read_the_former_secret_accepts_the_new_one(site: Site) -> None:
    ran(site, "install")
    now = [1000.0]
    names = ParameterNames(PREFIX)
    receiver = SSMWebhookSecrets(site.operator.ssm, names, max_age=300, clock=lambda: now[0])
    (old,) = stored(site)
    assert receiver.find_secret("main") == old
    ran(site, "install", "--rotate-secret")
    now[0] += SHORTEST_AGE + 1  # so long it waits between Parameter Store and Jira
    assert receiver.find_secret("main") == old
    assert is_secret(stored(site)[0], receiver.find_new_secret("main"))
    assert is_signed(
        b"Hello",
        SIGNED.format(hmac.new(old.encode(), b"Hello", "sha256").hexdigest()),
        receiver.find_secret("main"),
    )


def test_nonsense_does_not_make_a_receiver_read_each_time(site: Site) -> None:
    names = ParameterNames(PREFIX)
    receiver = SSMWebhookSecrets(site.operator.ssm, names, max_age=300, clock=lambda: 1000.0)
    assert receiver.find_secret("main") == ""
    ran(site, "install")
    assert receiver.find_new_secret("main") == ""


# ── by hand ──


def test_who_is_no_administrator_is_told_what_to_do(site: Site) -> None:
    site.jira.deny("ADMINISTER")
    text = ran(site, "install", code=1).stdout
    assert "no Jira administrator" in text
    numbers = [
        line.split(".")[0].strip() for line in text.splitlines() if line.startswith("  ") and ". " in line
    ]
    assert [each for each in numbers if each.isdigit()] == list("1234567")
    for expected in (
        "System > WebHooks",
        f"URL: {ADDRESS}/main" if signs(site) else f"URL: {ADDRESS}/main/<secret>",
        f"JQL: {JQL}",
        "jira:issue_updated",
        "Exclude body: off",
        "aws ssm get-parameter --with-decryption --name /backtrace-jira/dev/secrets/webhook/main",
    ):
        assert expected in text
    (secret,) = stored(site)
    assert report(site, "install", code=1)["steps"]
    assert stored(site) == [secret]
    assert report(site, "status", code=1)["state"] == {"registered": "not known"}
    assert "delete backtrace-jira dev main" in ran(site, "remove", code=1).stdout
    assert site.jira.webhooks.hooks == []


def test_a_rotation_by_hand_names_the_line_to_take(site: Site) -> None:
    ran(site, "install")
    site.jira.deny("ADMINISTER")
    before = replace(hook(site))
    text = ran(site, "install", "--rotate-secret", code=1).stdout
    assert "to read its first line: aws ssm" in text
    assert "--region eu-west-1" in text
    assert "holds two secrets, one a line, and both are accepted" in text
    assert (len(stored(site)), hook(site)) == (2, before)


@pytest.mark.parametrize("status", [401, 404])
def test_cloud_says_in_other_ways_that_it_is_for_administrators(cloud: Site, status: int) -> None:
    site = ready(cloud)
    site.jira.faults.add("GET", "webhook", status=status, body={"message": "no"})
    assert report(site, "install", code=1)["outcome"] == "by_hand"


def test_a_credential_that_is_refused_is_sent_once_and_is_no_lack_of_rights(site: Site) -> None:
    site.put("secrets/jira/main", "canary-wrong", "SecureString")
    site.put("connections/twin", site.connection | {"name": "twin"})
    site.put("secrets/jira/twin", "canary-wrong", "SecureString")
    site.put(f"integrations/{ID}-twin", site.integration | {"name": "jira-bugs-twin", "connection": "twin"})
    text = ran(site, "install", code=1).output
    assert "administrator" not in text
    assert "main, twin" in text
    assert len(site.shown) == 1


def test_behind_atlassians_gateway_nothing_is_asked(cloud: Site) -> None:
    site = ready(cloud)
    gateway = {
        "jira_api": "https://api.atlassian.com/ex/jira/1/rest/api/2/",
        "browse_url": "https://x.example",
    }
    site.put("connections/main", site.connection | gateway)
    found = report(site, "install", code=1)
    assert (found["outcome"], site.jira.requests) == ("by_hand", [])
    assert found["steps"][0].startswith("Open https://x.example as a Jira administrator")


# ── status and remove ──


def test_status_of_what_is_fine_and_of_what_is_not_there(site: Site) -> None:
    assert report(site, "status", code=1)["state"] == {"registered": "no"}
    ran(site, "install")
    lines = ran(site, "status").stdout.splitlines()
    cells = [cell.strip() for cell in lines[-1].split("|")]
    signed = (
        "not reported"
        if not site.jira.state.cloud and signs(site)
        else "yes"
        if signs(site)
        else "secret in URL"
    )
    assert cells == ["main", "yes", "yes", "yes", "yes", "yes", "yes", signed, "-"]
    site.operator.ssm.delete_parameter(Name=f"/backtrace-jira/dev/{SECRET}")
    assert "the secret is missing" in ran(site, "status", code=1).stdout
    ran(site, "install")
    assert report(site, "status")["outcome"] == "fine"


def test_a_delivery_that_failed_is_told(on_site: Callable[..., Site]) -> None:
    site = ready(on_site("10.3.0"))
    ran(site, "install")
    last = {"id": 1, "result": {"outcome": "FAILURE", "description": "401"}}
    site.jira.faults.add("GET", "latest$", times=2, status=200, body=last)
    assert "the last delivery failed: FAILURE: 401" in ran(site, "status", code=1).stdout
    assert report(site, "status", code=1)["state"]["last_problem"] == "FAILURE: 401"


def test_an_unsigned_registration_is_not_fine(cloud: Site) -> None:
    site = ready(cloud)
    ran(site, "install")
    hook(site).secret = ""
    assert report(site, "status", code=1)["state"]["signed"] == "no"
    ran(site, "install")
    assert [hook(site).secret] == stored(site)


def test_remove_takes_ours_and_leaves_the_secret_unless_told_otherwise(site: Site) -> None:
    ran(site, "install")
    elsewhere = site.jira.add_webhook("https://elsewhere.example/jira/main/with-a-secret")
    elsewhere.name = NAME
    text = ran(site, "remove").stdout
    assert "main: removed" in text
    assert "leads to https://elsewhere.example. It was left as it is" in text
    assert "with-a-secret" not in text
    assert site.jira.webhooks.hooks == [elsewhere]
    assert len(stored(site)) == 1
    assert report(site, "remove", "--forget-secret")["outcome"] == "absent"
    assert stored(site) == []


# ── which deployment ──


def test_nothing_is_deployed_unless_an_address_is_given(site: Site) -> None:
    site.operator.ssm.delete_parameter(Name="/backtrace-jira/dev/deployment/webhook_url")
    assert "nothing is deployed" in ran(site, "install", code=1).output
    ran(site, "install", "--url", "https://hooks.example.com/jira/")
    assert hook(site).url.startswith("https://hooks.example.com/jira/main")


def test_a_connection_that_nobody_uses_is_left_out(site: Site) -> None:
    site.put("connections/spare", site.connection | {"name": "spare"})
    assert "spare: skipped" in ran(site, "install").stdout
    assert hook(site).name == NAME


def test_without_any_connection_the_path_and_region_are_named(operator: Operator) -> None:
    operator.put("deployment/webhook_url", ADDRESS)
    result = operator.call("webhook", "status")
    assert result.exit_code == 2
    assert "No connection is stored below /backtrace-jira/dev in eu-west-1." in result.stderr


@pytest.mark.parametrize("wrong", [("--connection", "nobody"), ("--url", "http://example.com/")])
def test_wrong_usage(site: Site, wrong: tuple[str, str]) -> None:
    ran(site, "install", *wrong, code=2)
