"""One machine: what stands in for AWS and the clouds when skysaga is tried, developed and tested."""
