# SPDX-License-Identifier: Apache-2.0
# For people: everything goes through CMake's presets; this names the usual ways.
#   make          build (build/release/bin)      make demo   see it work, end to end
#   make test     build and run every test       make bench  measure it
#   make lint     format, layers, clang-tidy     make clean  remove what was built
#   make image    container images, without an engine
#   make install  programs, manual pages, completions (DESTDIR=, PREFIX=)
#   make test-versions   the tests of the API server, on older and newer Kubernetes
SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: build packages demo test unit lint e2e bench image test-versions clean install

packages:
	@tools/install-packages

build: packages
	@tools/build release

demo: build
	@tests/demo/run

# The unit tests and the end-to-end tests both run programs built with AddressSanitizer
# and UndefinedBehaviorSanitizer; clang compiles everything once for its own warnings.
test: packages
	@tools/build sanitize
	@tools/build clang
	@tools/build release
	@$(MAKE) --no-print-directory lint unit e2e

lint:
	@tools/lint

unit:
	@ctest --test-dir build/sanitize --output-on-failure -j "$$(nproc)"

# 77: no Go toolchain could be had, or no package for the image, or no history. Then the
# tests that need it are skipped, and say so; the first two fail with CI=true.
e2e:
	@tests/cluster/build || [ $$? = 77 ]
	@tools/image --fetch --cached herald || [ $$? = 77 ]
	@tools/image --fetch --cached bird || [ $$? = 77 ]
	@tests/older >/dev/null || [ $$? = 77 ]
	@HERALD_BIN=$(CURDIR)/build/sanitize/bin tests/run

bench: build
	@tests/cluster/build
	@bench/run

# Not part of `make test`: it builds two more versions of Kubernetes.
test-versions: build
	@tools/build sanitize
	@tests/versions

image: build
	@tools/image herald
	@tools/image bird

install: build
	cmake --install build/release --strip $(if $(PREFIX),--prefix $(PREFIX))

clean:
	rm -rf build
