"""Notebook 17, DALL·E 2."""
