"""The worker of private clusters: it takes their tasks from a queue, on AWS or inside their network."""
