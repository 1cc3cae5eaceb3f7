# output/images: a copy of the store's image entry. Everything in it was composed by packages/image.

include scripts/arch/$(CONFIG_ARCH).mk

.PHONY: all run images
all: images $(O)/qemu

# At each make, since it is looked at whether somebody has edited it; it is copied only if it is not what it should be.
images: | $(STORE)/$(image)
	@changed=$$($(TOOLS)/store publish $(STORE)/$(image) $(O)/images) || exit 1; \
	[ -z "$$changed" ] || { cd $(O)/images && for f in *; do \
		printf '  IMAGE   %-32s %12s bytes\n' $(O:$(CURDIR)/%=%)/images/$$f "$$(stat -c %s $$f)"; done; }

# How `run` and the boot tests start this machine: the values, for a shell to read. Values go by the environment, whatever is in them.
$(O)/qemu: export CMDLINE = $(CONFIG_CMDLINE)
$(O)/qemu: $(O)/config.mk scripts/arch/$(CONFIG_ARCH).mk
	@printf '%s=%q\n' QEMU '$(QEMU)' QEMU_MACHINE '$(QEMU_MACHINE)' QEMU_CPU_TCG '$(QEMU_CPU_TCG)' \
		QEMU_FIRMWARE '$(QEMU_FIRMWARE)' KERNEL_IMAGE '$(notdir $(TARGET_KERNEL_IMAGE))' CMDLINE "$$CMDLINE" >$@.$$$$ && mv $@.$$$$ $@

run: all
	@scripts/run-qemu $(O)
