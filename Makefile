# The front door. `make` alone explains itself; each target is one line you could type yourself.
B ?= build
S ?= 60

help:
	@grep -E '^[a-z-]+:.*[#][#] ' $(MAKEFILE_LIST) | sed 's/:.*[#][#] /\t/' | expand -t 12

run: install build ## install what is needed, build, start; prints the one URL to open
	@exec $(B)/ringdown serve --dev

install:
	@tools/install.sh build
install-test:
	@tools/install.sh test

build: $(B)/build.ninja web ## compile: leaves build/ringdown
	@ninja -C $(B)
$(B)/build.ninja:
	@echo "Setting up the build..."
	@meson setup $(B) >/dev/null

# The page: bundled once, and again when its sources change.
WEB_SOURCES := $(shell find web/src web/public web/*.json web/*.mjs web/*.html -type f 2>/dev/null)
web: web/dist/index.html ## bundle the page into web/dist
web/node_modules/.package-lock.json: web/package-lock.json
	@echo "Fetching the page's packages..."
	@cd web && npm ci --no-audit --no-fund --silent
	@touch $@
web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo "Bundling the page..."
	@cd web && npm run --silent build
	@touch $@

check: install build ## the quick part of the tests: unit, corpus, house (under a minute)
	@tools/run_tests.py quick
test/node_modules/.package-lock.json: test/package-lock.json
	@echo "Fetching the real clients that the tests drive..."
	@cd test && npm ci --no-audit --no-fund --silent
	@touch $@
test: install-test build test/node_modules/.package-lock.json ## every test: check + real clients + conformance; last line "N passed, N failed"
	@tools/run_tests.py all

asan: install-test web ## unit and corpus under address and undefined-behaviour sanitizers
	@test -d build-asan || meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
	@ninja -C build-asan --quiet && meson test -C build-asan --print-errorlogs --no-rebuild
tsan: install-test web ## unit tests under the thread sanitizer
	@test -d build-tsan || meson setup build-tsan -Db_sanitize=thread -Db_lundef=false >/dev/null
	@ninja -C build-tsan --quiet && meson test -C build-tsan --print-errorlogs --no-rebuild --suite unit
fuzz: install-test ## fuzz one parser: make fuzz T=sdp S=60
	@test -n "$(T)" || { echo "Which one? make fuzz T=NAME S=SECONDS, NAME one of:" $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c)); exit 2; }
	@test -d build-fuzz || CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
	@ninja -C build-fuzz --quiet test/fuzz/fuzz_$(T)
	@mkdir -p build-fuzz/found/$(T) && cd build-fuzz && test/fuzz/fuzz_$(T) -max_total_time=$(S) -rss_limit_mb=2048 \
		-artifact_prefix=found/$(T)- found/$(T) ../test/fuzz/corpus/$(T) $(if $(filter sip_message,$(T)),../test/data/torture)
bench: install-test build ## figures of this machine: latency, calls per core, memory, start
	@tools/bench.py
fmt: ## format everything
	@git ls-files '*.[ch]' | xargs clang-format -i
clean: ## remove what was built
	@rm -rf build build-asan build-tsan build-fuzz web/dist web/node_modules test/node_modules

.PHONY: help run install install-test build web check test asan tsan fuzz bench fmt clean
.DEFAULT_GOAL := help
