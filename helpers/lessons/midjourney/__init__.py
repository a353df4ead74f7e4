"""What serves notebook 15."""
