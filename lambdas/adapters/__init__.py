"""The core's ports on AWS services, one file per port."""
