# Two commands do all the set-up: `make start` and `make test`.
ifeq ($(OS),Windows_NT)
$(error This course runs on Linux and macOS; on Windows open a WSL terminal and run the same command there)
endif

FITS := import sys; sys.exit(not (3, 11, 5) <= sys.version_info < (3, 13))
PYTHON ?= $(shell for p in python3 python3.11 python3.12; do $$p -c '$(FITS)' 2>/dev/null && echo $$p && exit; done; echo python3)
VENV := .venv/.ready
BIN := .venv/bin
BOOK := _build/html/.ready
SOURCES := _config.yml _toc.yml references.bib curriculum.yml genindex.md \
	$(shell find chapters _static _templates labs lender playable tools -type f -not -name '*.pyc') \
	$(wildcard kernels/*.txt kernels/*/.venv/.ready)

.DEFAULT_GOAL := help
.PHONY: help start book pdf lab test verify measure outputs release bench linkcheck lock clean

help: ## this list
	@sed -n 's/^\([a-z%-]*\):.*## /make \1|/p' Makefile | column -t -s '|'

$(VENV): requirements.txt pyproject.toml tools/setup_venv.py
	@$(PYTHON) tools/setup_venv.py

.PRECIOUS: kernels/%/.venv/.ready
kernels/%/.venv/.ready: kernels/%.txt $(VENV)
	@$(BIN)/python tools/setup_venv.py $*

$(BOOK): $(VENV) $(SOURCES)
	@$(BIN)/python tools/book.py

start: $(VENV) $(BOOK) ## set everything up, then serve the book and JupyterLab on the labs
	@$(BIN)/python tools/start.py

book: $(VENV) $(BOOK) ## build the book into _build/html

pdf: $(VENV) $(BOOK) ## the whole book as _build/pdf/book.pdf (needs Chromium)
	@$(BIN)/python tools/pdf.py

lab: $(VENV) ## open one lab: make lab LAB=monitoring-data-drift
	@$(BIN)/python tools/start.py --lab "$(LAB)"

test: $(VENV) ## everything that CI checks
	@$(BIN)/python tools/test.py

verify: $(VENV) ## prove every lab's tests, and publish the table in the book
	@$(BIN)/grader verify --json chapters/verified.json

measure: $(VENV) $(BOOK) ## look at every page in a browser, and publish the table in the book
	@$(BIN)/python -m pytest tests/book/test_browser.py -q
	@$(BIN)/python tools/pages.py

outputs: $(VENV) $(BOOK) ## keep what pages on kernels of their own show, for readers without these
	@$(BIN)/python -m tools.execute

kernel-%: kernels/%/.venv/.ready ## set up a kernel that some pages need: make kernel-airflow
	@echo "the kernel $* is set up"

release: $(VENV) ## make labs/ from solutions/
	@$(BIN)/grader release

bench: $(VENV) ## ratios, measured side by side
	@$(BIN)/python -m pytest tests/bench -q -s
	@GRADER_KILLS=50 GRADER_CLASS=100 $(BIN)/python -m pytest tests/workflow/test_crash.py -q
	@$(BIN)/python -m pytest tests/security -m lab -q -s

linkcheck: $(VENV) $(BOOK) ## ask for every address outside that the book links to; needs the internet
	@$(BIN)/python tools/linkcheck.py

lock: $(VENV) ## compile pyproject.toml and kernels/*.in into locks
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/lock.py

clean: ## remove what was built; learners' work/, grades and .venv stay
	@rm -rf _build source
