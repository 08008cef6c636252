"""The CloudFormation resource types there are, made with boto3 through the account's own endpoint."""
