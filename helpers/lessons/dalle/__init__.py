"""What serves notebook 16."""
