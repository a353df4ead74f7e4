# Two commands: `make lab` opens the course, `make test` proves that it works. `make help` lists the rest.
TORCH := torch==2.13.0
# An extra package index for torch, e.g. TORCH_INDEX=https://download.pytorch.org/whl/cpu for the small CPU build.
TORCH_INDEX ?=

# Debian keeps ensurepip in a package of its own; without it a virtual environment has no pip.
USABLE   := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
DESCRIBE := import importlib.util as u, sys; print("  ", sys.executable, "is", sys.version.split()[0], \
            *["without " + m for m in ("venv", "ensurepip") if not u.find_spec(m)])
NAMES    := python3.11 python3.12 python3.13 python3 python
PYTHON   ?= $(shell for p in $(NAMES); do "$$p" -c '$(USABLE)' 2>/dev/null && { echo "$$p"; break; }; done)
PY       := .venv/bin/python
STAMP    := .venv/installed
NOTEBOOK ?= notebooks/00_start_here.ipynb

# A kernel of the same name in the home folder must not take the place of this one.
export JUPYTER_PREFER_ENV_PATH := 1

.PHONY: help lab studio test notebooks scores train clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

lab: $(STAMP)  ## set up, then open the course in JupyterLab (NOTEBOOK=notebooks/... opens another page)
	@echo "JupyterLab prints its address below: open it by hand where no browser opens. Ctrl-C stops it."
	@exec $(PY) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url="/lab/tree/$(NOTEBOOK)" \
	  --ServerApp.ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root)

studio: $(STAMP)  ## set up, then open notebook 15's studio by itself (full-screen where Voila is installed)
	@echo "An address is printed below: open it by hand where no browser opens. Ctrl-C stops it."
	@exec $(PY) -m helpers.lessons.midjourney.by_itself $(if $(filter 0,$(shell id -u)),--allow-root)

test: $(STAMP)  ## set up, then check everything: style, tests, every notebook
	$(PY) -m pytest -n 2 --dist loadscope

notebooks: $(STAMP)  ## execute and clean all notebooks (NOTEBOOK=02_autoencoder.ipynb: only that one)
	$(PY) -m helpers.course.publish $(if $(filter command line,$(origin NOTEBOOK)),"$(NOTEBOOK)")

scores: $(STAMP)  ## recompute every figure that the course quotes
	$(PY) -m helpers.course.scores

train: $(STAMP)  ## train a model: make train NAME=... (without a name: the list)
	$(PY) -m helpers.train $(NAME)

clean:  ## remove the environment and all caches (trained weights in data/trained stay)
	rm -rf .venv *.egg-info .pytest_cache .hypothesis .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name .ipynb_checkpoints -prune -exec rm -rf {} +

# The stamp is written last, so an interrupted installation is done again. JupyterLab's question whether it may fetch news
# lies over every page: it is not asked.
$(STAMP): pyproject.toml Makefile
	@rm -f $(STAMP)
	@$(PY) -c '$(USABLE)' 2>/dev/null && $(PY) -m pip --version >/dev/null 2>&1 || { $(MAKE_VENV); }
	$(PY) -m pip install $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)") "$(TORCH)" -e ".[lab,test]"
	$(PY) -m jupyter labextension disable @jupyterlab/apputils-extension:announcements
	@touch $(STAMP)

define MAKE_VENV
[ -n "$(PYTHON)" ] || { \
  echo "The course needs Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip. Found here:"; \
  for p in $(NAMES); do \
    "$$p" -c '$(DESCRIBE)' 2>/dev/null; \
  done; \
  echo "Install one from https://www.python.org/downloads or, on Debian and Ubuntu: sudo apt install python3-venv"; \
  echo "Then run make again. To name one yourself: make lab PYTHON=/path/to/python3.12"; exit 1; }; \
"$(PYTHON)" -c '$(USABLE)' || { echo "$(PYTHON) is not Python 3.11-3.13 with venv and ensurepip."; exit 1; }; \
rm -rf .venv && "$(PYTHON)" -m venv .venv
endef
