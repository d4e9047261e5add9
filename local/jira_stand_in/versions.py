"""Versions of a project: made, changed, deleted, merged, with the webhooks that Jira sends of it.

A change of a version changes the issues that have it, but Jira does not stamp them as updated: a client that follows
issues only does not see it. Atlassian's pages disagree which event Jira sends for a merge (`jira:version_deleted` with
`mergedTo`, or `jira:version_merged`); here Cloud sends the first, Data Center the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from local.jira_stand_in.call import WEBHOOKS, answer, body, caller, no_content, project_of, state
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import Issue, Project, Version
from local.jira_stand_in.state import State
from local.jira_stand_in.webhooks import Webhooks
from local.jira_stand_in.wire import version_json

NAMES = {
    "name": "name",
    "description": "description",
    "released": "released",
    "archived": "archived",
    "startDate": "start_date",
    "releaseDate": "release_date",
}
"""Of what can be changed, on the wire and here."""


@dataclass
class Versions:
    """The versions of all projects, as an administrator changes them."""

    state: State
    webhooks: Webhooks

    def add(self, project: Project, name: str, **settings: Any) -> Version:
        self._check_name(project, name)
        version = Version(self.state.next_id(), name, project.id, **settings)
        project.versions.append(version)
        self.webhooks.announce_version("created", version)
        return version

    def change(self, version: Version, **changes: Any) -> None:
        """Change attributes of `Version`; one event for each kind of change, as Jira sends them."""
        if changes.get("name", version.name) != version.name:
            self._check_name(self.project(version), changes["name"])
        before = version.released
        for name, value in changes.items():
            setattr(version, name, value)
        if version.released != before:
            self.webhooks.announce_version("released" if version.released else "unreleased", version)
        if changes.keys() - {"released"}:
            self.webhooks.announce_version("updated", version)

    def delete(self, version: Version, move_to: Version | None = None, *, merged: bool = False) -> None:
        """Take a version away; its issues get another, or none."""
        project = self.project(version)
        for issue in self.state.live_issues():
            _swap(issue, version.id, move_to.id if move_to else None)
        project.versions.remove(version)
        if merged and move_to and not self.state.cloud:
            self.webhooks.announce_version("merged", version, mergedTo=move_to.id)
        else:
            self.webhooks.announce_version(
                "deleted", version, **({"mergedTo": move_to.id} if merged and move_to else {})
            )

    def project(self, version: Version) -> Project:
        return next(each for each in self.state.projects.values() if each.id == version.project_id)

    def find(self, version_id: str) -> Version:
        for project in self.state.projects.values():
            for found in project.versions:
                if found.id == version_id:
                    return found
        raise JiraError(404, f"Could not find version for id '{version_id}'")

    def _check_name(self, project: Project, name: Any) -> None:
        if not isinstance(name, str) or not name.strip():
            raise JiraError(400, errors={"name": "You must specify a valid version name"})
        if len(name) > 255:
            raise JiraError(400, errors={"name": "The version name must not exceed 255 characters"})
        if any(each.name == name for each in project.versions):
            raise JiraError(400, errors={"name": "A version with this name already exists in this project."})


def _swap(issue: Issue, version_id: str, other: str | None) -> None:
    for field in ("fixVersions", "versions"):
        values = issue.fields.get(field) or []
        if not any(value["id"] == version_id for value in values):
            continue
        ids = [other if value["id"] == version_id else value["id"] for value in values]
        issue.fields[field] = [{"ref": "version", "id": id_} for id_ in dict.fromkeys(ids) if id_]


routes = Blueprint("versions", __name__, url_prefix="/rest/api/2/version")


def _versions() -> Versions:
    return Versions(state(), request.environ[WEBHOOKS])


def _may_change() -> None:
    if not state().may(caller(), "ADMINISTER"):
        raise JiraError(403, "You do not have permission to change versions of this project.")


def _wanted(raw: dict[str, Any]) -> dict[str, Any]:
    return {NAMES[name]: value for name, value in raw.items() if name in NAMES}


@routes.post("")
def create() -> Response:
    raw = body()
    _may_change()
    project = project_of(str(raw.get("project") or raw.get("projectId") or ""))
    settings = _wanted(raw)
    return answer(version_json(_versions().add(project, settings.pop("name", None), **settings)), 201)


@routes.put("/<version_id>")
def change(version_id: str) -> Response:
    found = _versions().find(version_id)
    _may_change()
    _versions().change(found, **_wanted(body()))
    return answer(version_json(found))


@routes.put("/<version_id>/mergeto/<other>")
def merge(version_id: str, other: str) -> Response:
    _may_change()
    _versions().delete(_versions().find(version_id), _versions().find(other), merged=True)
    return no_content()


@routes.post("/<version_id>/removeAndSwap")
def remove_and_swap(version_id: str) -> Response:
    raw = body() if request.get_data() else {}
    _may_change()
    other = raw.get("moveFixIssuesTo")
    _versions().delete(_versions().find(version_id), _versions().find(str(other)) if other else None)
    return no_content()
