"""AWS as a target cloud: EC2 instances and EBS volumes."""
