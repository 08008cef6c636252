"""`make demo`: one request, three clouds; once it commits, once it is rolled back."""
