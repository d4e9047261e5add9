"""What the commands know of a deployment: its parameters, its link table, its Jira servers."""
