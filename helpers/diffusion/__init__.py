"""Diffusion: forward (noise comes), targets (what is learned), samplers (noise goes), guidance; ideal, to test with."""
