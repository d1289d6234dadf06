#!/bin/bash
# A study as a KubeRay RayJob: jobs/kuberay.sh --image ... --models ... --results ... model=...
# cluster=h100-2x8 | kubectl apply -f -
exec "${DISTLAB_PYTHON:-python}" -m distlab.jobs kuberay "$@"
