"""Files of samples that people already have in; a run folder and cells of the store out."""
