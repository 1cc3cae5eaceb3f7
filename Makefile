# Copal: source code in, one read-only machine image out. `make help` lists the goals, docs/ has the manual.
#
# How it goes:  .config -> recipes -> plan and keys -> store -> output/images
# Each step is one short file in scripts/.

MAKEFLAGS += -rR --no-print-directory
# One job per processor, unless -jN says otherwise on the command line, which wins.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/bash

# What Make or the shell would take for something else than a part of a name.
odd    := $$ \# % : ; * ? [ ] { } ( ) < > | & ' " ` , = \ ! ¶
odd-in  = $(strip $(if $(word 2,$1),spaces) $(foreach c,$(odd),$(if $(findstring $c,$1),$c)))
ifneq ($(call odd-in,$(CURDIR)),)
  $(error Make cannot work in a path with $(call odd-in,$(CURDIR)): '$(CURDIR)'. Move the checkout)
endif
ifeq ($(wildcard scripts/kconfig.py),)
  $(error Make works in the checkout only: make -C $(dir $(lastword $(MAKEFILE_LIST))) $(MAKECMDGOALS))
endif

# O=dir      where everything generated goes (default: output)
# STORE=dir  built packages, shared by every checkout and board (default: in the user's cache folder)
# DL=dir     downloaded sources (default: beside the store)
# NEED_MB=n  free space in STORE below which no build starts (default: 4096)
# V=0|1|2    0: one line per step. 1: also the commands and the build's output. 2: also why each package is built.
O     ?= output
ifeq ($(XDG_CACHE_HOME)$(HOME),)
  $(error Neither HOME nor XDG_CACHE_HOME is set: where the store, sources and tools are kept is not known)
endif
# As they are: of a name a$b, Make would make a.
CACHE := $(or $(value XDG_CACHE_HOME),$(value HOME)/.cache)/copal
STORE ?= $(CACHE)/store
DL    ?= $(CACHE)/dl
V     ?= 0
NEED_MB ?= 4096
$(foreach v,O STORE DL,$(if $(strip $($v)),,$(error $v= is empty. Give a folder, or leave $v out)))
$(if $(filter 0 1 2,$(V)),,$(error V='$(V)' is none of 0, 1 and 2))
given    = $(filter environment command,$(origin $v))
value-of = $(if $(given),$(value $v),$($v))
# Where nothing was said, the folder of all three is what is wrong.
ifneq ($(and $(call odd-in,$(CACHE)),$(or $(foreach v,STORE DL TOOLS,$(if $(and $(given),$($v)),,$v)))),)
  $(error $(CACHE): Make cannot work in a path with $(call odd-in,$(CACHE)). Choose another one with XDG_CACHE_HOME=)
endif
$(foreach v,O STORE DL TOOLS $(filter OVERRIDE_%,$(.VARIABLES)),$(if $(call odd-in,$(value-of)),\
  $(error $v='$(value-of)': Make cannot work in a path with $(call odd-in,$(value-of)). Choose another one with $v=)))
override O     := $(abspath $(O))
override STORE := $(abspath $(STORE))
override DL    := $(abspath $(DL))
export O STORE DL V NEED_MB

# 2025-01-01. Moves with a release: it is the time of every file in every package, and the earliest that a machine's clock may say.
override SOURCE_DATE_EPOCH := 1735689600
export SOURCE_DATE_EPOCH

goals := $(or $(MAKECMDGOALS),all)
# `make -n`, -q and -t, and goals that only tell, change nothing on disk.
telling := check-recipes show-info show-targets show-vars why-% %-show-depends %-show-rdepends
make-flags := $(filter-out -% %=%,$(firstword $(MAKEFLAGS)))
looking := $(findstring n,$(make-flags))$(findstring q,$(make-flags))$(findstring t,$(make-flags))$(if $(filter-out $(telling),$(goals)),,y)
# Commands are never shown among what is printed for a program to read.
Q := $(if $(or $(filter 0,$(V)),$(filter $(telling),$(goals))),@)

# `make setup x_defconfig all`, `make clean all`: what installs tools, writes the configuration or removes something must end
# before the rest is even read.
first-goals := setup %config clean distclean store-gc
ifneq ($(and $(filter $(first-goals),$(filter-out why-%,$(goals))),$(word 2,$(goals))),)

.PHONY: $(goals) one-by-one
$(goals): one-by-one ; @:
one-by-one:
	@set -e; for goal in $(goals); do $(MAKE) "$$goal"; done

else

include scripts/goals.mk scripts/config.mk
# Defined once the configuration was read; until then Make is only about to write config.mk and start again.
ifeq ($(origin CONFIG_ARCH),file)
include scripts/plan.mk
# As much for the engine's own programs.
ifdef tools-built
include scripts/source.mk scripts/build.mk scripts/image.mk
# `make -t` would make empty files of these, which later count as made.
ifneq ($(findstring t,$(make-flags)),)
.PHONY: $(downloads) $(O)/host-ok $(O)/qemu
endif
endif
endif

endif
