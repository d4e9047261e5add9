"""`backtrace-jira configure`: one YAML file becomes the parameters of a stage."""
