"""From a recipe to weights in a file: the loop, its progress, the file it continues from, checkpoints, trials."""
