# The goals that need no configuration.

unconfigured-goals := help setup lint clean distclean test fuzz bench list-defconfigs
.PHONY: help setup lint test fuzz bench clean distclean

help:
	@cat scripts/help.txt

setup:
	$(Q)scripts/setup

lint:
	$(Q)scripts/lint

test:
	$(Q)tests/run

fuzz:
	$(Q)tests/fuzz

bench:
	$(Q)tests/bench
	$(Q)tests/bench-init

clean:
	$(Q)find $(wildcard $(O)) -mindepth 1 -maxdepth 1 ! -name .config ! -name config.mk -exec rm -rf {} +

distclean:
	$(Q)rm -rf $(O)
