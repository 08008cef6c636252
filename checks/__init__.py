"""What is checked of us beside style and types: known vulnerabilities in what we depend on."""
