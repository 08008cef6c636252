"""What runs on AWS Lambda."""
