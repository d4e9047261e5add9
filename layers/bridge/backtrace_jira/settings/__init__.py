"""The settings that the operator writes: connections, universes and integrations. Each model checks its own part.

Layout in SSM Parameter Store below `/backtrace-jira/<stage>` (String holds JSON, secrets are SecureString):

    integrations/<universe>/<project>/<name>   Integration
    connections/<name>                         Connection
    backtrace/<universe>                       BacktraceUniverse
    secrets/jira/<connection name>             API token, password or personal access token
    secrets/backtrace/<universe>               Backtrace token
    secrets/webhook/<connection name>          the secret that Jira signs its webhooks with
    deployment/<name>                          a table or queue of the deployment (template.yaml writes it)

Each secret has a parameter of its own, so that a function can be granted exactly the ones it needs.
"""
