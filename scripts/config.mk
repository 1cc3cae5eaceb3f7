# Kconfig: <board>_defconfig, menuconfig and friends write $(O)/.config; $(O)/config.mk is the same for Make.

kconfig       := scripts/kconfig.py
kconfig-files := configs/Kconfig $(wildcard packages/*/Kconfig kernel/Kconfig init/Kconfig)

# A variable of the command line would be stronger than what was checked, and no file would say so.
ifneq ($(filter CONFIG_%,$(MAKEOVERRIDES)),)
$(error $(filter CONFIG_%,$(MAKEOVERRIDES)): no symbol is set on the command line. Use 'make menuconfig', or edit $(O)/.config)
endif

# What ends in `config` is a goal of kconfig.py, which knows what else may be meant, unless a package has that name.
config-goals := list-defconfigs $(filter-out $(basename $(notdir $(wildcard packages/*/*.mk))),$(filter-out why-%,$(filter %config,$(goals))))
.PHONY: $(config-goals)
$(config-goals):
	$(Q)$(kconfig) $@

ifneq ($(filter-out $(unconfigured-goals) $(config-goals),$(goals)),)
include $(O)/config.mk
# .config may have been edited by hand, or an old one put back with its old time: it is checked again whenever it has other bytes
# than config.mk was made of.
config-bytes := $(if $(wildcard $(O)/.config),$(firstword $(shell sha256sum <$(O)/.config)))
.PHONY: other-config
$(O)/config.mk: $(O)/.config $(kconfig-files) $(kconfig) $(if $(filter-out $(config-of),$(config-bytes)),other-config)
	$(Q)$(kconfig) check

$(O)/.config:
	@[ -e $@ ] || $(kconfig) check $(goals)
endif
