#!/bin/bash
# A study as a job of a running Ray cluster: jobs/ray.sh --address http://HEAD:8265 model=...
# Submitting the same again follows the job that runs, or resumes the study; --help has the options.
exec "${DISTLAB_PYTHON:-python}" -m distlab.jobs ray "$@"
