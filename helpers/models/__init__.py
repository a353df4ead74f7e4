"""The boxes of the papers' figures, as modules, each beside the loss that trains it."""
