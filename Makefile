# clawjail. 'make help' lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
# Fully static, without what nothing refers to, and without symbols: it starts in a third of the time of a dynamic one.
RELEASE := -c release -Xswiftc -static-executable -Xlinker -s -Xlinker --gc-sections
BUILT := .build/release

.PHONY: help build run test test-unit test-faults test-leaks test-vm check bench install uninstall clean packages format

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

packages: ## Install what building and testing need (Debian; asks for root where it must)
	@scripts/packages build

build: packages ## Build the static programs into .build/release
	@scripts/build $(RELEASE)

run: build ## Run the gateway in the 'research' jail, on http://127.0.0.1:18789
	@scripts/run

test: ## Check, then run every test: unit, end to end, faults, leaks
	@scripts/packages test
	@$(MAKE) check
	@$(MAKE) build
	@scripts/test

test-unit: ## Run the Swift tests alone
	$(SWIFT) test

test-faults: build ## Make every system call of a launch fail, one at a time
	@scripts/packages test
	@scripts/test-faults

test-leaks: build ## Launches and sessions, many of them killed; nothing may be left
	@scripts/test-leaks

test-vm: build ## Boot Debian 12 and 13, with systemd, cgroup v2 and AppArmor, and test there
	@scripts/packages vm
	@$(SWIFT) build --build-tests
	@scripts/test-vm

check: ## Format, lint, warnings as errors, profiles valid
	@scripts/check

format: ## Write the format that 'check' wants
	$(SWIFT) format -i --configuration .swift-format -r Package.swift Sources Tests

bench: build ## Measure against bubblewrap, runc and others, side by side
	@scripts/packages bench
	@scripts/bench

install: build ## Install to $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/clawjail/profiles
	install -m 755 $(BUILT)/clawjail $(BUILT)/clawjail-egress $(DESTDIR)$(PREFIX)/bin/
	ln -sf clawjail $(DESTDIR)$(PREFIX)/bin/clawjail-ssh
	install -m 644 profiles/*.json5 profiles/schema.json $(DESTDIR)$(PREFIX)/share/clawjail/profiles
	install -d $(DESTDIR)$(PREFIX)/share/clawjail/openclaw-plugin/lib
	install -m 644 scripts/openclaw-plugin/*.js* $(DESTDIR)$(PREFIX)/share/clawjail/openclaw-plugin
	install -m 644 scripts/openclaw-plugin/lib/*.js $(DESTDIR)$(PREFIX)/share/clawjail/openclaw-plugin/lib

uninstall: ## Remove what 'install' put there; data and logs stay
	rm -f $(DESTDIR)$(PREFIX)/bin/clawjail $(DESTDIR)$(PREFIX)/bin/clawjail-egress $(DESTDIR)$(PREFIX)/bin/clawjail-ssh
	rm -rf $(DESTDIR)$(PREFIX)/share/clawjail
	@echo "left alone: /var/lib/clawjail, ~/.local/state/clawjail, /etc/clawjail, ~/.config/clawjail"

clean: ## Remove what was built
	rm -rf .build
