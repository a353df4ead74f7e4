"""How good an answer is, in numbers: pictures and sentences; PCA, the baseline of every code."""
