"""Google Cloud as a target cloud: Compute Engine instances and persistent disks."""
