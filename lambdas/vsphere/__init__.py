"""vSphere as a provider: virtual machines that are cloned from templates onto the clusters of vCenters."""
