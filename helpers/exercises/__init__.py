"""The exercises: what each asks for, and the tests that its answer must pass. One file for each notebook.

A function here takes what the notebook has made, and returns the Exercise that checks the learner's answer on it.
A notebook calls it as `exercises.NAME(...)`.
"""

from .autoencoder import elbow, principal_angles, ranking
from .compared import alarm_threshold, caption_bits
from .compression import bits_a_picture, fair_jpeg, smallest_file
from .denoising import overtaking, pointing, training_pair
from .generation import interpolation, two_by_three
from .inpainting import grey_price, hole_loss, rank_correlation
from .mlp import collapse, count_parameters, finite_differences
from .seq2seq import bleu_by_hand, greedy_search, masked_attention
from .vae import draw_and_kl, first_asleep, gradient_of_logvar

__all__ = ["elbow", "principal_angles", "ranking"]
__all__ += ["collapse", "count_parameters", "finite_differences"]
__all__ += ["bleu_by_hand", "greedy_search", "masked_attention"]
__all__ += ["alarm_threshold", "caption_bits"]
__all__ += ["overtaking", "pointing", "training_pair"]
__all__ += ["draw_and_kl", "first_asleep", "gradient_of_logvar"]
__all__ += ["grey_price", "hole_loss", "rank_correlation"]
__all__ += ["interpolation", "two_by_three"]
__all__ += ["bits_a_picture", "fair_jpeg", "smallest_file"]
