"""Training: rows, packing, models, the loop. torch is imported here and under `generate`, and nowhere else."""
