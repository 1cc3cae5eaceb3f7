# The goals that need no configuration.

unconfigured-goals := help setup lint clean distclean store-gc test test-all fuzz bench list-defconfigs
.PHONY: help setup lint test test-all fuzz bench clean distclean store-gc

help:
	@cat scripts/help.txt

setup:
	$(Q)scripts/setup

lint:
	$(Q)scripts/lint

test:
	$(Q)tests/run

# Whatever it takes to build: every board of every architecture.
test-all:
	$(Q)CI_BUDGET=all tests/run

fuzz:
	$(Q)tests/fuzz

bench:
	$(Q)tests/bench
	$(Q)tests/bench-init

clean distclean:
	$(Q)scripts/clean $@ $(O)

store-gc:
	$(Q)scripts/store-gc
