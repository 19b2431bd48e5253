# clawjail. 'make help' lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
# Fully static, without what nothing refers to, and without symbols: it starts in a third of the time of a dynamic one.
RELEASE := -c release -Xswiftc -static-executable -Xlinker -s -Xlinker --gc-sections

.PHONY: help build run test test-unit test-faults test-leaks test-vm check bench install uninstall deb test-install clean packages format

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

packages: ## Install what building and testing need (Debian; asks for root where it must)
	@scripts/packages build

build: packages ## Build the static programs into .build/release
	@scripts/build $(RELEASE)

run: build ## Run the gateway in the 'research' jail, on http://127.0.0.1:18789
	@scripts/run

test: ## Check, then run every test: unit, end to end, faults, leaks, machines with systemd
	@scripts/packages test
	@$(MAKE) check
	@scripts/packages vm
	@$(MAKE) deb
	@scripts/test

test-unit: ## Run the Swift tests alone
	$(SWIFT) test

test-faults: build ## Make every system call of a launch fail, one at a time
	@scripts/packages test
	@scripts/test-faults

test-leaks: build ## Launches and sessions, many of them killed; nothing may be left
	@scripts/test-leaks

test-install: build ## Install, uninstall, package, man pages, completions
	@scripts/packages test
	@scripts/test-install

test-vm: deb ## Boot Debian 12 and 13, with systemd, cgroup v2 and AppArmor, and test there
	@scripts/packages vm
	@$(SWIFT) build --build-tests
	@scripts/test-vm

check: ## Format, lint, warnings as errors, profiles valid
	@scripts/check

format: ## Write the format that 'check' wants
	$(SWIFT) format -i --configuration .swift-format -r Package.swift Sources Tests

bench: build ## Measure against bubblewrap, runc and others, side by side
	@scripts/packages bench
	@$(SWIFT) build $(RELEASE) --product audit-bench
	@scripts/bench

install: build ## Install to $(DESTDIR)$(PREFIX)
	@scripts/packages install
	@scripts/install make
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install put

uninstall: ## Remove what 'install' put there; data and logs stay
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install remove

deb: build ## Make the Debian package in .build/deb
	@scripts/packages deb
	@scripts/deb

clean: ## Remove what was built
	rm -rf .build
