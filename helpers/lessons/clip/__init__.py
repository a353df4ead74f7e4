"""What serves notebook 11."""
