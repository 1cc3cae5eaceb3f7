# output/images: a copy of the store's image entry. Everything in it was composed by packages/image.

.PHONY: all run
all: $(O)/images/SHA256SUMS

# Named by its key like everything else, so that switching back to an image that was built before only copies it.
image-mark := $(O)/.image-$(entry.image)
$(image-mark): | $(STORE)/$(entry.image)
	@rm -f $(O)/.image-*; touch $@

$(O)/images/SHA256SUMS: $(image-mark)
	@rm -rf $(O)/images.tmp && cp -r --no-preserve=timestamps $(STORE)/$(entry.image)/tree/. $(O)/images.tmp
	@rm -rf $(O)/images && mv $(O)/images.tmp $(O)/images
	@cd $(O)/images && for f in *; do printf '  IMAGE   %-32s %12s bytes\n' $(O:$(CURDIR)/%=%)/images/$$f "$$(stat -c %s $$f)"; done

# How `run` and the boot tests start this machine: the values, for a shell to read.
$(O)/qemu: $(O)/config.mk scripts/arch/$(CONFIG_ARCH).mk
	@printf '%s=%q\n' QEMU '$(QEMU)' QEMU_MACHINE '$(QEMU_MACHINE)' QEMU_CPU_TCG '$(QEMU_CPU_TCG)' \
		KERNEL_IMAGE '$(notdir $(TARGET_KERNEL_IMAGE))' CMDLINE '$(CONFIG_CMDLINE)' >$@.tmp && mv $@.tmp $@

all: $(O)/qemu
run: all
	@scripts/run-qemu $(O)
