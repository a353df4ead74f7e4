# Two commands: `make lab` opens the course, `make test` proves that it works. `make help` lists the rest.
SHELL  := /bin/bash
TORCH  := torch==2.13.0
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
            "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
            && { echo "$$p"; break; }; done)
BIN    := .venv/bin

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12
