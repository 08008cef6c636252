"""The steps about whole sagas."""
