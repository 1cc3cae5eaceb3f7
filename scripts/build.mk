# One rule builds every package: an entry of the store whose name carries the hash of all its inputs. It exists or it does not;
# all edges are order-only, since an entry restored from elsewhere may be younger than what was built on it.

.PHONY: $(packages) $(packages:=-rebuild) $(packages:=-shell) $(packages:%=why-%) show-info

# An entry that is there needs nothing: neither its sources nor what it was built from.
entry-paths := $(addprefix $(STORE)/,$(missing))
dep-paths    = $(foreach d,$($1.depends),$(STORE)/$(entry.$d))
# The sandbox itself: every build needs it, no result depends on it.
bubblewrap  := $(STORE)/$(entry.host-bubblewrap)

.SECONDEXPANSION:
$(entry-paths): $(STORE)/%: | $$(call source-paths,$$(package.$$*)) $$(filter-out $(STORE)/$$*,$(bubblewrap))
	+$(Q)scripts/build-entry build $(package.$*) $*

$(packages): %: | $(STORE)/$$(entry.$$*)

$(packages:=-rebuild): %-rebuild: | $$(call dep-paths,$$*) $$(call source-paths,$$*) $(bubblewrap)
	+$(Q)scripts/build-entry rebuild $* $(entry.$*)

$(packages:=-shell): %-shell: | $$(call dep-paths,$$*) $$(call source-paths,$$*) $(bubblewrap)
	+$(Q)scripts/build-entry shell $* $(entry.$*)

$(packages:%=why-%): why-%:
	@$(TOOLS)/why --inputs $(O)/inputs --built $(O)/built $*

show-info:
	@scripts/show-info $(O)/info $(O)/keys.mk

export BUBBLEWRAP := $(bubblewrap)/tree/bin/bwrap
export TOOLS
