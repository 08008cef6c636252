"""What AWS says things cost: its Cost Explorer, and the files that Data Exports leaves in S3."""
