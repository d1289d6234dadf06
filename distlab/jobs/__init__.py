"""Submission: a study's overrides in; the study on a Ray cluster, SLURM or Kubernetes out."""
