"""What Azure says things cost: Cost Management's query, and the files that its exports leave in a storage account."""
