"""Creating, editing and moving issues: the checks Jira makes, in one place for every endpoint."""

from __future__ import annotations

import re
from typing import Any

from local.jira_stand_in import history
from local.jira_stand_in.errors import FieldError, JiraError
from local.jira_stand_in.fields import Field
from local.jira_stand_in.model import Issue, IssueType, Project, Transition, User
from local.jira_stand_in.payload import read_properties, read_values
from local.jira_stand_in.state import State
from local.jira_stand_in.values import Reader, check_text
from local.jira_stand_in.wire import (
    issue_type_json,
    priority_json,
    project_json,
    resolution_json,
    status_json,
    timestamp,
    user_json,
)

_BODY_KEYS = {"fields", "update", "transition", "properties", "historyMetadata"}
_NOTHING: tuple[Any, ...] = (None, "", [])


class Writer:
    """Changes issues on behalf of one user."""

    def __init__(self, state: State, user: User | None) -> None:
        self.state = state
        self.user = user

    def create(self, body: dict[str, Any]) -> tuple[Issue, dict[str, Any] | None]:
        """Create an issue; the second value is the outcome of a nested transition.

        A failed transition does not undo the issue: the answer stays 201 (SPEC-C, CreatedIssue.transition).
        """
        self._check_body(body)
        fields = body.get("fields") or {}
        project, issue_type = self._where(fields)
        values = self._new_values(project, issue_type, fields, body.get("update") or {})
        properties = read_properties(body.get("properties") or [])
        issue = self._store(project, issue_type, values)
        issue.properties.update(properties)
        self._comments_of(issue, body.get("update") or {})
        self.state.touch(issue)
        history.record(self.state, issue, self.user)
        self.state.announce("created", issue, self.user, None)
        return issue, self._nested(issue, body["transition"]) if body.get("transition") else None

    def _check_body(self, body: dict[str, Any]) -> None:
        unknown = sorted(set(body) - _BODY_KEYS)
        if unknown and not self.state.cloud:
            raise JiraError(
                400, f'Unrecognized field "{unknown[0]}" (Class IssueUpdateBean), not marked as ignorable'
            )
        for key in ("fields", "update"):
            if not isinstance(body.get(key) or {}, dict):
                raise JiraError(
                    400, body={"errorMessages": ["Can not deserialize instance of java.util.LinkedHashMap"]}
                )

    def _where(self, fields: dict[str, Any]) -> tuple[Project, IssueType]:
        errors: dict[str, str] = {}
        project = self._project(fields.get("project"), errors)
        issue_type = self._issue_type(project, fields.get("issuetype"), errors)
        if project is None or issue_type is None:
            raise JiraError(400, errors=errors)
        if not self.state.may(self.user, "CREATE_ISSUES"):
            text = "You do not have permission to create issues in this project."
            # Data Center's document knows 201 and 400 only; Cloud's names 403 for a missing permission.
            raise JiraError(403 if self.state.cloud else 400, errors={"project": text})
        return project, issue_type

    def _project(self, value: Any, errors: dict[str, str]) -> Project | None:
        wanted = (value.get("id") or value.get("key")) if isinstance(value, dict) else None
        project = self.state.project(str(wanted)) if wanted else None
        if project is not None and self.user is not None:
            return project
        if self.state.cloud:
            errors["project"] = "Specify a valid project ID or key"
        else:
            errors["project"] = "valid project is required" if wanted else "project is required"
        return None

    def _issue_type(self, project: Project | None, value: Any, errors: dict[str, str]) -> IssueType | None:
        wanted = (value.get("id") or value.get("name")) if isinstance(value, dict) else None
        found = project.issue_type(str(wanted)) if project and wanted else None
        if found is None and (project or not wanted) and ("project" not in errors or not self.state.cloud):
            cloud = "Specify a valid issue type" if wanted else "Specify an issue type"
            dc = "valid issue type is required" if wanted else "issue type is required"
            errors["issuetype"] = cloud if self.state.cloud else dc
        return found

    def _new_values(
        self, project: Project, issue_type: IssueType, fields: dict[str, Any], update: dict[str, Any]
    ) -> dict[str, Any]:
        reader = Reader(self.state, project, issue_type)
        errors: dict[str, str] = {}
        values = read_values(reader, issue_type.screen, fields, update, {}, errors)
        demanded = (f for f in issue_type.screen.values() if f.required and f.on_screen and not f.has_default)
        for field in demanded:
            if field.id not in errors and values.get(field.id) in _NOTHING:
                errors[field.id] = _missing(field)
        if errors:
            raise JiraError(400, errors=errors)
        self._run_validators(issue_type, values)
        return values

    def _run_validators(self, issue_type: IssueType, values: dict[str, Any]) -> None:
        """A workflow validator answers in errorMessages, without a field key (atlassian-mcp-server#95)."""
        messages = [text for check in issue_type.validators if (text := check(values))]
        if messages:
            raise JiraError(400, *messages)

    def _store(self, project: Project, issue_type: IssueType, values: dict[str, Any]) -> Issue:
        state, now = self.state, self.state.clock()
        project.last_number += 1
        myself = {"ref": "user", "id": self.user.key} if self.user else None
        defaults: dict[str, Any] = {
            name: [] if field.type == "array" and not field.custom else None
            for name, field in issue_type.screen.items()
        }
        defaults |= {
            "description": None, "environment": None, "labels": [], "assignee": None, "components": [],
            "fixVersions": [], "versions": [], "duedate": None, "resolution": None, "resolutiondate": None,
            "priority": priority_json("Medium"), "reporter": myself, "creator": myself,
        }  # fmt: skip
        fields = defaults | {name: value for name, value in values.items() if value is not None}
        fields["project"] = project_json(state, project)
        fields["issuetype"] = issue_type_json(issue_type)
        fields["status"] = status_json(project.workflow.statuses[0])
        fields["created"] = fields["updated"] = timestamp(now)
        issue = Issue(
            state.next_id(), f"{project.key}-{project.last_number}", project, issue_type, fields, now, now
        )
        state.issues[issue.id] = issue
        return issue

    def _nested(self, issue: Issue, wanted: Any) -> dict[str, Any]:
        try:
            self.transition(issue, {"transition": wanted})
        except JiraError as error:
            return {"status": error.status, "errorCollection": error.body}
        return {"status": 200, "errorCollection": {"errorMessages": [], "errors": {}}}

    def edit(self, issue: Issue, body: dict[str, Any]) -> None:
        """Change fields; the status is ignored here, as the documents of both products say."""
        self._check_body(body)
        fields, update = body.get("fields") or {}, body.get("update") or {}
        if "fields" not in body and "update" not in body:
            raise JiraError(400, "one of 'fields' or 'update' required")
        if not self.state.may(self.user, "EDIT_ISSUES"):
            raise JiraError(403, "You do not have permission to edit issues in this project.")
        self.change(issue, issue.type.edit_screen, fields, update)
        for key, value in read_properties(body.get("properties") or []).items():
            issue.properties[key] = value
        self.finish(issue)

    def change(
        self, issue: Issue, screen: dict[str, Field], fields: dict[str, Any], update: dict[str, Any]
    ) -> dict[str, Any]:
        """Validate a change against a screen and apply it whole."""
        reader, errors = Reader(self.state, issue.project, issue.type), dict[str, str]()
        values = read_values(reader, screen, fields, update, issue.fields, errors)
        for name, value in values.items():
            if screen[name].required and value in _NOTHING and name not in errors:
                errors[name] = _missing(screen[name])
        if errors:
            raise JiraError(400, errors=errors)
        issue.fields.update(values)
        self._comments_of(issue, update)
        self._work_on(issue, update)
        return values

    def transition(self, issue: Issue, body: dict[str, Any]) -> None:
        """Move an issue along its workflow, with the fields of the transition's screen."""
        step = self._step(issue, body.get("transition"))
        fields, update = body.get("fields") or {}, body.get("update") or {}
        errors = {
            field.id: _missing(field)
            for field in step.screen.values()
            if field.required and not fields.get(field.id) and field.id not in update
        }
        if errors:
            raise JiraError(400, errors=errors)
        self.change(issue, step.screen, fields, update)
        self.enter(issue, step)

    def _step(self, issue: Issue, wanted: Any) -> Transition:
        wanted_id = wanted.get("id") if isinstance(wanted, dict) else None
        if wanted_id is None:
            raise JiraError(400, "Missing 'transition' identifier")
        if not self.state.may(self.user, "TRANSITION_ISSUES"):
            available = []
        else:
            available = issue.project.workflow.available(issue.status.id)
        for step in available:
            if step.id == str(wanted_id):
                return step
        known = any(step.id == str(wanted_id) for step in issue.project.workflow.transitions)
        # Data Center's document: 500 "If transition ID is incorrect".
        status = 400 if self.state.cloud or known else 500
        raise JiraError(
            status, f"It seems that you have tried to perform an illegal workflow operation ({wanted_id})."
        )

    def enter(self, issue: Issue, step: Transition) -> None:
        """Put an issue into the step's status and keep its resolution in line."""
        status = issue.project.workflow.status(step.to)
        issue.fields["status"] = status_json(status)
        if "resolution" not in step.screen:
            issue.fields["resolution"] = (
                resolution_json(step.sets_resolution) if step.sets_resolution else None
            )
        resolved = issue.fields.get("resolution") is not None
        issue.fields["resolutiondate"] = timestamp(self.state.clock()) if resolved else None
        self.finish(issue)

    def comment(self, issue: Issue, text: Any) -> dict[str, Any]:
        """Add a comment and return it."""
        if not self.state.may(self.user, "ADD_COMMENTS"):
            raise JiraError(403, "You do not have the permission to comment on this issue.")
        if not isinstance(text, str) or not text.strip():
            raise JiraError(400, errors={"comment": "Comment body can not be empty!"})
        try:
            check_text(self.state, text)
        except FieldError as error:
            raise JiraError(400, errors={"comment": str(error)}) from None
        comment_id, now = self.state.next_id(), timestamp(self.state.clock())
        author = user_json(self.state, self.user) if self.user else None
        comment = {
            "self": f"/rest/api/2/issue/{issue.id}/comment/{comment_id}", "id": comment_id, "author": author,
            "body": text, "updateAuthor": author, "created": now, "updated": now,
        }  # fmt: skip
        issue.comments.append(comment)
        self.state.announce("commented", issue, self.user, comment)
        return comment

    def _comments_of(self, issue: Issue, update: dict[str, Any]) -> None:
        for operation in update.get("comment", []):
            if "add" in operation:
                self.comment(issue, operation["add"].get("body"))

    def _work_on(self, issue: Issue, update: dict[str, Any]) -> None:
        """Log work. A duration is read as Jira does: 1w 2d 3h 4m."""
        for operation in update.get("worklog", []):
            spent = str((operation.get("add") or {}).get("timeSpent", ""))
            if not re.fullmatch(r"\d+(\.\d+)?[wdhm]( \d+(\.\d+)?[wdhm])*", spent):
                raise JiraError(400, errors={"worklog": "Invalid time duration entered"})
            issue.worklogs.append(spent)

    def finish(self, issue: Issue) -> None:
        """Stamp the change."""
        self.state.touch(issue)
        issue.fields["updated"] = timestamp(issue.updated)
        self.state.announce("changed", issue, self.user, history.record(self.state, issue, self.user))


def _missing(field: Field) -> str:
    if field.id == "summary":
        return "You must specify a summary of the issue."
    return f"{field.name} is required."
