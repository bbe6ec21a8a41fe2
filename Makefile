.DEFAULT_GOAL := help
.PHONY: help run test soak chaos check bench images specimens screenshots dashboards format lock

PYTHON := .venv/bin/python

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is needed and start everything on http://127.0.0.1:8000 (PORT=… for another)
	@bash deploy/bootstrap.sh auto && exec .venv/bin/fidox up

test: ## install what the tests need and run them all (ARGS=… goes to pytest, which then runs once)
	@bash deploy/bootstrap.sh dev && bash deploy/test-setup.sh && \
	if [ -n "$(ARGS)" ]; then exec $(PYTHON) -m pytest $(ARGS); fi; \
	$(PYTHON) -m pytest -n 2 --dist loadfile -m "not apart" && exec $(PYTHON) -m pytest -n 2 --dist loadfile -m apart

soak: ## the tests that are cut short in `make test`, at their full length
	@bash deploy/bootstrap.sh dev && bash deploy/test-setup.sh && \
	exec env FIDOX_TEST_CARDS=200 FIDOX_TEST_STORED=5000 $(PYTHON) -m pytest \
	  tests/ocr/test_privacy.py tests/xylolabs/storage/test_load.py $(ARGS)

chaos: ## ten minutes of load while parts are killed, restarted and filled up (ARGS="--minutes 2 --seed 5")
	@bash deploy/bootstrap.sh dev && exec $(PYTHON) -m tests.soak $(ARGS)

check: ## lint, formatting, types and the layers between the packages
	@bash deploy/bootstrap.sh dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright
	.venv/bin/lint-imports

bench: ## measure on this machine and write docs/benchmarks.md (ONLY="attacks ocr" for some sections)
	@bash deploy/bootstrap.sh dev && exec $(PYTHON) -m tests.bench $(ONLY)

images: ## install what the images hold, by the lines of their Dockerfiles, into empty folders (ARGS=worker-cpu for one)
	@bash deploy/bootstrap.sh dev && exec $(PYTHON) -m tests.support.images $(ARGS)

specimens: ## draw Korean ID cards with their truth (ARGS="--count 5 --types DRIVER"; ARGS=--help)
	@bash deploy/bootstrap.sh dev && bash deploy/test-setup.sh fonts && exec $(PYTHON) -m tests.specimens $(ARGS)

screenshots: ## draw every page of the console into docs/console/
	@bash deploy/bootstrap.sh dev && bash deploy/test-setup.sh && exec $(PYTHON) -m tests.support.screenshots

dashboards: ## write Grafana's dashboards and the cluster's copy of the rules again, after a change of either
	@bash deploy/bootstrap.sh dev && $(PYTHON) -m deploy.grafana && exec $(PYTHON) -m deploy.prometheus

format: ## format the code and mend what ruff can mend
	@bash deploy/bootstrap.sh dev
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

# The images' locks begin as copies, so that they have the versions that everything else was tested with.
lock: ## lock the dependencies again after a change in pyproject.toml
	@bash deploy/bootstrap.sh dev
	@lock() { echo "deploy/locks/$$1.txt"; out="deploy/locks/$$1.txt"; shift; \
	  .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --quiet "$$@" -o "$$out"; }; \
	for kind in cpu gpu dev; do lock $$kind --extra $$kind pyproject.toml || exit 1; done; \
	for kind in gateway worker-cpu worker-gpu; do \
	  from=cpu; [ $$kind != worker-gpu ] || from=gpu; cp deploy/locks/$$from.txt deploy/locks/$$kind.txt; \
	  lock $$kind --extra $$kind pyproject.toml || exit 1; \
	done; \
	for kind in build setuptools; do lock $$kind --group $$kind || exit 1; done
