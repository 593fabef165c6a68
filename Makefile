# The only verbs of this repository; each sets up what it needs in .venv by itself.
# Quiet when all is well; everything is printed when something fails.

VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv/bench
RELEASE_VENV := .venv/release
DOCS_VENV := .venv/docs
STAMP := $(VENV)/.stamp-$(shell cat requirements/dev.txt pyproject.toml 2>/dev/null | cksum | tr ' ' '-')
BENCH_STAMP := $(VENV)/.bench-$(shell cat requirements/bench.txt bench/package-lock.json 2>/dev/null | cksum | tr ' ' '-')
DOCS_STAMP := $(VENV)/.docs-$(shell cat requirements/docs.txt 2>/dev/null | cksum | tr ' ' '-')
NODE_HOMES := tests/workflows/runner tests/standin tests/oncall/readers tests/documents_reader
NODE_STAMPS := $(foreach home,$(NODE_HOMES),$(home)/node_modules/.stamp-$(shell cat $(home)/package-lock.json 2>/dev/null | cksum | tr ' ' '-'))
RUNNER := tests/workflows/runner
ACTIONLINT := $(VENV)/actionlint/1.7.12/actionlint
ACT := $(VENV)/act/0.2.89/act
WHEELS := $(VENV)/wheels/.stamp-$(shell cat requirements/build.txt 2>/dev/null | cksum | tr ' ' '-')
GITHUB_FOLDERS := .github $(wildcard examples/*/.github template/.github incident_ops/template/.github)
WORKFLOW_FILES := $(wildcard $(addsuffix /workflows/*.yml,$(GITHUB_FOLDERS)))
ACTION_FILES := $(wildcard actions/*/action.yml)
DEPENDABOT_FILES := $(wildcard $(addsuffix /dependabot.yml,$(GITHUB_FOLDERS)))
QUIETLY := sh requirements/quietly.sh
SITE := NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict
SPELLED := *.md docs contrib examples gates templates template schemas incident_ops actions mkdocs.yml policy.yaml services.yaml

.DEFAULT_GOAL := help
.PHONY: help setup demo test laws goldens figures lint lint-workflows lint-pages bench docs site dist pins clean

help:  ## list the verbs
	@echo "make VERB, where VERB is one of:"
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile

setup: $(STAMP)  ## make .venv with the pinned tools (the other verbs do it by themselves)

$(STAMP):
	@sh requirements/setup.sh $(VENV) requirements/dev.txt
	@$(QUIETLY) $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@$(QUIETLY) $(BIN)/python -m pip check --disable-pip-version-check
	@rm -f $(VENV)/.stamp-* && touch $@

demo: $(STAMP)  ## watch real incidents go through the whole loop, offline
	@$(BIN)/incident-ops demo

test: $(STAMP) $(NODE_STAMPS) $(ACTIONLINT) $(if $(INCIDENT_OPS_LAWS),$(ACT) $(WHEELS) $(DOCS_STAMP))  ## run the tests, with a sample of the long laws and without the slow ones
	@$(BIN)/python -m pytest -q -n auto --dist worksteal $(ARGS)

laws: $(STAMP) $(NODE_STAMPS) $(ACT) $(WHEELS) $(DOCS_STAMP)  ## run the long laws whole, which takes long; write the result into docs/reliability.md
	@INCIDENT_OPS_LAWS=all $(BIN)/python -m pytest -q -n auto --dist worksteal -m "law or slow" --laws-page=docs/reliability.md $(ARGS)

figures: $(STAMP)  ## measure the code and write the table of docs/architecture.md
	@$(BIN)/python docs/figures.py

goldens: $(STAMP) $(NODE_STAMPS)  ## write the approved outputs of the tests anew, and show what changed (read it before you commit)
	@INCIDENT_OPS_WRITE_GOLDENS=1 $(BIN)/python -m pytest -q -n auto $$(grep -rl assert_golden tests --include='test_*.py')
	@git --no-pager diff --stat -- ':(glob)tests/**/golden/**'

$(NODE_STAMPS): $(STAMP)
	@if command -v npm >/dev/null 2>&1; then \
	  (cd $(patsubst %/node_modules,%,$(@D)) && sh $(CURDIR)/requirements/quietly.sh npm ci --silent --no-audit --no-fund) && touch $@; \
	else echo "npm is not here: what needs $(patsubst %/node_modules,%,$(@D)) is left out"; fi

lint: $(STAMP)  ## style, types, which room may import which, the workflows, and the pages
	@$(QUIETLY) $(BIN)/ruff check .
	@$(QUIETLY) $(BIN)/ruff format --check .
	@$(QUIETLY) $(BIN)/mypy
	@$(QUIETLY) $(BIN)/lint-imports
	@$(MAKE) --no-print-directory lint-workflows lint-pages

lint-pages: $(STAMP) $(DOCS_STAMP)
	@$(QUIETLY) $(BIN)/python docs/page_checks.py
	@$(QUIETLY) $(DOCS_VENV)/bin/codespell $(SPELLED)
	@$(QUIETLY) env $(SITE)

$(DOCS_STAMP): $(STAMP)
	@sh requirements/setup.sh $(DOCS_VENV) requirements/docs.txt
	@rm -f $(VENV)/.docs-* && touch $@

# actionlint v1.7.12 does not know `$/`, the repository of the workflow itself, nor `queue` of a concurrency group
lint-workflows: $(STAMP) $(filter $(RUNNER)/%,$(NODE_STAMPS)) $(ACTIONLINT)
	@$(QUIETLY) $(BIN)/zizmor --offline --persona=auditor --no-progress .github actions
	@$(QUIETLY) $(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOW_FILES)
	@$(QUIETLY) $(BIN)/check-jsonschema --builtin-schema vendor.github-actions $(ACTION_FILES)
	@$(QUIETLY) $(BIN)/check-jsonschema --builtin-schema vendor.dependabot $(DEPENDABOT_FILES)
	@test ! -x $(ACTIONLINT) || $(QUIETLY) $(ACTIONLINT) -no-color -shellcheck= -pyflakes= -ignore 'specifying action "\$$/' \
	  -ignore 'unexpected key "queue"' $(WORKFLOW_FILES)
	@test ! -d $(RUNNER)/node_modules || $(QUIETLY) node $(RUNNER)/lint.mjs $(WORKFLOW_FILES) $(ACTION_FILES)

$(ACTIONLINT): | $(STAMP)
	@if command -v go >/dev/null 2>&1; then \
	  GOBIN=$(CURDIR)/$(@D) $(QUIETLY) go install github.com/rhysd/actionlint/cmd/actionlint@v$(notdir $(@D)) \
	  || echo "actionlint cannot be built here: it is left out"; \
	else echo "go is not here: actionlint is left out"; fi

$(ACT): | $(STAMP)
	@if command -v go >/dev/null 2>&1; then \
	  GOBIN=$(CURDIR)/$(@D) $(QUIETLY) go install github.com/nektos/act@v$(notdir $(@D)) \
	  || echo "act cannot be built here: whole workflows are left out"; \
	else echo "go is not here: act is left out, and with it the runs of whole workflows"; fi

$(WHEELS): | $(STAMP)
	@rm -rf $(@D) && mkdir -p $(@D)
	@$(QUIETLY) $(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements/build.txt -d $(@D) && touch $@

bench: $(STAMP) $(BENCH_STAMP)  ## measure, beside check-jsonschema and ajv-cli; write docs/benchmarks.md (ARGS=--quick only prints)
	@$(BIN)/python bench/run.py --others $(BENCH_VENV)/bin --node bench/node_modules/.bin $(ARGS)
	@$(BIN)/python bench/sla.py $(if $(ARGS),,--output bench/parts/sla.md) $(ARGS)
	@$(BIN)/python bench/plan.py $(if $(ARGS),,--output bench/parts/plan.md) $(ARGS)
	@$(BIN)/python bench/render.py $(if $(ARGS),,--output bench/parts/render.md) $(ARGS)
	@$(BIN)/python bench/gate.py $(if $(ARGS),,--output bench/gate_results.json) $(ARGS)
	@$(if $(ARGS),true,$(BIN)/python bench/join.py)

$(BENCH_STAMP): $(STAMP)
	@sh requirements/setup.sh $(BENCH_VENV) requirements/bench.txt
	@if command -v npm >/dev/null 2>&1; then cd bench && sh ../requirements/quietly.sh npm ci --silent --no-audit --no-fund; \
	else echo "npm is not here: ajv-cli is left out"; fi
	@rm -f $(VENV)/.bench-* && touch $@

docs: $(STAMP)  ## write the generated pages and lists anew (rules, commands, fields, presets)
	@$(BIN)/python docs/generate.py

dist:  ## build what a release is made of into dist/, as the workflow does
	@sh requirements/setup.sh $(RELEASE_VENV) requirements/release.txt
	@$(RELEASE_VENV)/bin/python -I contrib/release/build.py $(ARGS)

site: $(STAMP) $(DOCS_STAMP)  ## build the site of the documentation into build/site
	@$(QUIETLY) env $(SITE)
	@echo "build/site/index.html"

pins: $(STAMP)  ## write every requirements/*.txt anew (ARGS=--upgrade takes newer versions)
	@sh requirements/compile.sh $(ARGS)

clean:  ## remove what the verbs made
	@rm -rf $(VENV) bench/node_modules $(addsuffix /node_modules,$(NODE_HOMES)) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
