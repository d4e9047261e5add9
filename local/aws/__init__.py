"""AWS on one machine: CloudFormation, queues, functions and the table, made from template.yaml."""
