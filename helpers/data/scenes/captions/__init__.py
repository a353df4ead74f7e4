"""Captions of tiny scenes in English and Korean: written in one fixed pattern or as people type them, and read."""
