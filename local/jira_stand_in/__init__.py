"""A Jira that runs on one machine: Cloud and Data Center on the wire, in memory, with faults to inject.

It answers as Atlassian's documents, recorded answers and public issues say; where nobody recorded an
answer, the docstring beside it says so.
"""

from local.http.edge import Exchange
from local.http.faults import Fault
from local.jira_stand_in.faults import JiraFaults
from local.jira_stand_in.fields import Field, custom_field
from local.jira_stand_in.model import Issue, Project, Status, Transition, User, Version, Workflow
from local.jira_stand_in.stand_in import JiraStandIn

__all__ = [
    "Exchange",
    "Fault",
    "Field",
    "Issue",
    "JiraFaults",
    "JiraStandIn",
    "Project",
    "Status",
    "Transition",
    "User",
    "Version",
    "Workflow",
    "custom_field",
]
