"""One deployment as the commands reach it: its parameters, its link table, its Jira servers."""
