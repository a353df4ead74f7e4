"""Notebook 10."""
