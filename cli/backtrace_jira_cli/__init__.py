"""The operator's command line: a folder for each command, and `deployment` for what they share."""
