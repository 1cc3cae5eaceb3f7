# output/plan: one line per package with all that goes into its key. output/keys.mk: the keys, and which entry needs which.
# Both are made anew at each run, which costs a few ms, and are replaced only when they differ. Included last by Make, so that
# everything after this file knows the keys.

tab := $(shell printf '\t')

build-script = $(if $(filter own,$($1.build)),$(dir $(call recipe-file,$1))$1.sh,scripts/build/$($1.build).sh)
patches      = $(sort $(wildcard $(dir $(call recipe-file,$1))$1-*.patch))
# The name under which a source URI is kept: go:m/x@v is a zip, anything else has its own name.
file-of      = $(notdir $(subst :,/,$(if $(filter go:%,$1),$(subst @,-,$1).zip,$1)))
files-of     = $(foreach s,$($1.source),$(call file-of,$s))

target-environment := $(foreach v,TARGET TARGET_KERNEL_ARCH TARGET_KERNEL_IMAGE TARGET_GOARCH TARGET_MESON_CPU TARGET_GCC_ARGS TARGET_ELF_MACHINE,$(if $($v),$(tab)$v=$($v)))
environment = $(tab)SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH)$(tab)BUILD_TRIPLET=$(HOST_ARCH)-linux-gnu$(if $(filter host-%,$1),,$(target-environment))

define plan-line
name=$1$(foreach f,$(key-fields),$(if $($1.$f),$(tab)$f=$($1.$f)))$(environment)$(foreach s,$($1.symbols),$(tab)$s=$($s))$(foreach s,$(join $(addsuffix :,$($1.sha256)),$(files-of)),$(tab)source=$s)$(foreach f,scripts/build/common.sh $(build-script) $(patches) $($1.files) $($1.fragments),$(tab)file=$f)$(tab)depends=$($1.depends)
endef

pins-match = $(if $(filter $(words $($1.source)),$(words $($1.sha256))),,$(error $(call recipe-file,$1): $(words $($1.source)) sources but $(words $($1.sha256)) sha256 pins. Every source needs its pin, in the same order))
$(foreach p,$(packages),$(call pins-match,$p))

# Everything else that the engine knows about a package, for fetch, show-info and reports.
info-line = name=$1$(foreach f,$(fields),$(if $($1.$f),$(tab)$f=$($1.$f)))$(tab)recipe=$(call recipe-file,$1)

# Replaced only when they differ. Blanks before a tab are foreach's.
.PHONY: FORCE
$(O)/plan $(O)/info: $(O)/%: FORCE
	@mkdir -p $(O) $(STORE) $(DL)
	$(file >$@.tmp)$(foreach p,$(packages),$(file >>$@.tmp,$(call $*-line,$p)))
	@sed -i 's/ *\t */\t/g' $@.tmp; if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi

# Host tools of the engine itself, needed before there is a sandbox to build anything in.
TOOLS ?= $(O)/tools
tool-objects := $(patsubst scripts/tools/%.cc,$(TOOLS)/%.o,$(filter-out scripts/tools/mkimage.cc,$(wildcard scripts/tools/*.cc)))
tool-mains   := keys store why
tool-shared  := $(filter-out $(tool-mains:%=$(TOOLS)/%.o),$(tool-objects))

$(TOOLS)/%.o: scripts/tools/%.cc $(wildcard scripts/tools/*.h) | $(O)/host-ok
	@mkdir -p $(@D)
	$(Q)g++ -std=c++20 -O2 -Wall -Wextra -Werror -c -o $@ $<
$(tool-mains:%=$(TOOLS)/%): $(TOOLS)/%: $(TOOLS)/%.o $(tool-shared)
	@echo '  TOOL    $*' >&2
	$(Q)g++ -o $@ $^ -lcrypto

# What the build machine lacks is said at once and in full, not package by package.
$(O)/host-ok: scripts/setup scripts/host-packages.txt
	@mkdir -p $(O)
	$(Q)scripts/setup --check
	@touch $@

$(O)/keys.mk: $(O)/plan $(O)/info $(tool-mains:%=$(TOOLS)/%) FORCE
	$(Q)$(TOOLS)/keys --root . --store $(STORE) --plan $(O)/plan --inputs $(O)/inputs --out $@

include $(O)/keys.mk
