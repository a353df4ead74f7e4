"""What serves the section of notebook 13 that draws emoji from their names."""
