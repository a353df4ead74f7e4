"""What serves one notebook: a folder each, named as its file. Recipes and scores are found by this listing."""
