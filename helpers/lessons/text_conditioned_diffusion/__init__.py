"""What serves notebook 13."""
