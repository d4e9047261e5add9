"""Jira's language: issues, fields, create screens, wiki markup, webhooks. No I/O, and no settings of ours."""
