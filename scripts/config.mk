# Kconfig: <board>_defconfig, menuconfig and friends write $(O)/.config; $(O)/config.mk is the same for Make.

kconfig := scripts/kconfig.py
# A bare -j from the command line or the default below must not reach an interactive menu.
kconfig-files := configs/Kconfig $(wildcard packages/*/Kconfig kernel/Kconfig init/Kconfig board/*/Kconfig)

.PHONY: menuconfig oldconfig olddefconfig savedefconfig list-defconfigs
%_defconfig:
	$(Q)$(kconfig) defconfig $@
menuconfig oldconfig olddefconfig savedefconfig list-defconfigs:
	$(Q)$(kconfig) $@

ifneq ($(filter-out $(unconfigured-goals),$(goals)),)
include $(O)/config.mk

# .config may have been edited by hand: it is checked again whenever it is newer.
$(O)/config.mk: $(O)/.config $(kconfig-files) $(kconfig)
	$(Q)$(kconfig) check

$(O)/.config:
	@[ -e $@ ] || { echo >&2 "No configuration in $(O). Choose one with 'make <board>_defconfig'; 'make list-defconfigs' shows them."; exit 1; }
endif
