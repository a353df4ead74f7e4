"""Notebook 00b: tensors, loss, gradient steps, layers, and a first network that names shapes."""
