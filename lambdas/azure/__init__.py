"""Azure as a target cloud: virtual machines and managed disks, through Azure Resource Manager."""
