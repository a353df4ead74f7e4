"""Diffusion: forward (noise comes), samplers (noise goes), guidance, and the ideal denoiser to test them with."""
