"""EC2 as moto serves it, corrected where it differs from AWS: client tokens, states that take time, leftovers."""

from local.aws.ec2.offerings import read_offerings_late

read_offerings_late()  # before anything imports moto's EC2, which reads them when it is
