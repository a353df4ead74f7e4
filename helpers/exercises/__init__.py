"""The exercises: what each asks for, and the tests that its answer must pass. One file for each notebook.

A function here takes what the notebook has made, and returns the Exercise that checks the learner's answer on it.
A notebook calls it as `exercises.NAME(...)`.
"""

from .autoencoder import elbow, principal_angles, ranking
from .compared import alarm_threshold, caption_bits
from .mlp import collapse, count_parameters, finite_differences
from .seq2seq import bleu_by_hand, greedy_search, masked_attention

__all__ = ["elbow", "principal_angles", "ranking"]
__all__ += ["collapse", "count_parameters", "finite_differences"]
__all__ += ["bleu_by_hand", "greedy_search", "masked_attention"]
__all__ += ["alarm_threshold", "caption_bits"]
