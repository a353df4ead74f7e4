"""Products, each a few lines of composition: a sentence in, a sentence out; a picture in, a small file out."""
