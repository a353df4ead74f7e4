"""What serves notebook 14."""
