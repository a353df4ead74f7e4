"""Notebook 13, text-conditioned diffusion."""
