"""Jira's REST API, version 2, of Cloud and of Data Center."""
