"""The link table in DynamoDB."""
