"""The local AWS account: moto, its EC2 corrected, with a CloudFormation that can be trusted, and deployment into it."""
