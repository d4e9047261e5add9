"""Lambda's events, SQS and SSM Parameter Store."""
