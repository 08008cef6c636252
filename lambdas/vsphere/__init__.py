"""vSphere as a provider."""
