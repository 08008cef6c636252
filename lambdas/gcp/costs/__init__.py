"""What a Google project costs, from the billing export of its billing account in BigQuery."""
