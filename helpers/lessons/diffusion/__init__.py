"""Notebook 12, diffusion."""
