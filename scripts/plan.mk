# What there is to do, from the configuration and the recipes: scripts/tools/keys reads and checks them, and says what Make is to
# know. It runs once for each make and writes no file that two makes could fight over.
#
# missing          entries that are not in the store, in build order; each has a rule with what must be there before it
# damaged          those of them that are there, but not what they were
# package.<entry>  the package of such an entry
# downloads        sources that are not in DL
# image, sandbox   the entries of `make all`, and of what builds run in
# goal.<goal>      what a goal of the command line wants: verb, package, entry; goals.<verb>: these goals by what they want

# Named by what they are made of, so that every checkout and output folder shares them.
tool-files := $(sort $(wildcard scripts/tools/*.cc scripts/tools/*.h)) scripts/build-tools
ifndef TOOLS
TOOLS := $(CACHE)/tools/$(firstword $(shell cat $(tool-files) /etc/os-release | sha256sum))
endif
export TOOLS
$(TOOLS)/built.mk: | $(if $(wildcard $(TOOLS)/built.mk),,$(O)/config.mk)
	$(Q)scripts/build-tools $(TOOLS)
include $(TOOLS)/built.mk

ifdef tools-built
define newline


endef
# OVERRIDE_<package>=dir   builds a package from a working tree of one's own, by what is in it, instead of its pinned sources
overrides := $(foreach v,$(filter OVERRIDE_%,$(.VARIABLES)),$(if $($v),--override '$(v:OVERRIDE_%=%)=$(abspath $($v))'))
keys  := $(TOOLS)/keys --config $(O)/config.mk --epoch $(SOURCE_DATE_EPOCH) --goals '$(subst ','\'',$(goals))' $(overrides)
known := $(unconfigured-goals) $(config-goals) all images run source store-check check-recipes show-info show-targets show-vars
plan  := $(shell $(keys) make --store $(STORE) --dl $(DL) --known '$(known)' $(if $(looking),,--inputs $(O)/inputs))
$(if $(filter-out 0,$(.SHELLSTATUS)),$(error Nothing was built))
$(if $(plan),,$(error $(TOOLS)/keys says nothing: remove $(TOOLS), and it is compiled again))
$(eval $(subst ¶,$(newline),$(plan)))
endif
