"""A reported run in; its config, scores, gaps and report with a tracker of experiments out."""
