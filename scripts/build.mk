# One rule builds every package: an entry of the store whose name carries the hash of all its inputs. It exists or it does not;
# all edges are order-only, since an entry restored from elsewhere may be younger than what was built on it.

export BUBBLEWRAP := $(STORE)/$(sandbox)/tree/bin/bwrap
export KEYS := $(keys)

$(addprefix $(STORE)/,$(missing)): $(STORE)/%: | $(O)/host-ok
	+$(Q)scripts/build-entry build $(package.$*) $*

# What the build machine lacks is said at once and in full, not package by package.
$(O)/host-ok: scripts/setup scripts/host-packages.txt
	$(Q)scripts/setup --check
	@touch $@

$(goals.build): ; @:

# The verbs that work on a package: `make zlib-rebuild`.
$(foreach v,rebuild shell extract patch configure,$(goals.$v)): | $(O)/host-ok
	+$(Q)scripts/build-entry $(goal.$@)

# The content of every entry that this configuration needs and that is there, compared with its manifest.
present  = $(filter-out $(filter-out $(damaged),$(missing)),$(entries))
store-check:
	$(Q)$(TOOLS)/store check --full $(STORE) $(present) && echo '  STORE   $(words $(present)) entries are what they were'

show-info:
	@$(keys) info
# Every recipe there is, whether the configuration selects it or not.
check-recipes:
	@$(keys) check --all
show-targets:
	@$(keys) targets
# What the command line, the environment and the configuration come to.
show-vars:
	@:$(foreach v,O STORE DL TOOLS V NEED_MB MIRROR DEBIAN_MIRROR,$(info $v=$($v)))
	@cat $(O)/config.mk
$(goals.show-depends):
	@$(keys) depends $(word 2,$(goal.$@))
$(goals.show-rdepends):
	@$(keys) rdepends $(word 2,$(goal.$@))
$(goals.why):
	@$(keys) why $(word 2,$(goal.$@)) --built $(O)/built
.PHONY: store-check check-recipes show-info show-targets show-vars
