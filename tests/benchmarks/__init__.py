"""How fast the course's models are, against the usual way to write them."""
