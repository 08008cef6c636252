"""What each verb of each provider may do, as IAM statements: observing cannot delete."""
