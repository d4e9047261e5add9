"""What the operator writes: connections, universes, integrations, and how each part of them is checked.

Layout in SSM Parameter Store below `/backtrace-jira/<stage>` (String holds JSON, secrets are SecureString):

    integrations/<universe>/<project>/<name>   Integration
    connections/<name>                         Connection
    backtrace/<universe>                       BacktraceUniverse
    secrets/jira/<connection name>             API token, password or personal access token
    secrets/backtrace/<universe>               Backtrace token
    secrets/webhook/<connection name>          what Jira signs its webhooks with
    deployment/<name>                          where the deployment's table and queues are (template.yaml writes these)

Each secret has a parameter of its own, so that a function can be granted exactly the ones it needs.
"""
