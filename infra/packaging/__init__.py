"""The zip files that Lambda runs, built without Docker, byte for byte alike: dependencies per set, and our own code."""
