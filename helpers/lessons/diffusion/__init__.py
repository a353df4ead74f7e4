"""What serves notebook 12."""
