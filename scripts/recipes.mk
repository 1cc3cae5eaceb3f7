# Reads the recipes of what is selected, then of what those depend on, and of nothing else.
# docs/recipes.md describes every field. Field f of package p is kept as $(p.f).

include scripts/arch/$(CONFIG_ARCH).mk

HOST_ARCH := $(shell uname -m)
# 2025-01-01. Moves with a release: it is the time of every file in every package, and the earliest that a machine's clock may say.
SOURCE_DATE_EPOCH := 1735689600
export SOURCE_DATE_EPOCH

# What a build sees, and so what its key covers; then what only the engine or the image needs.
key-fields   := version overlays contents services accounts build srcdir configure make install tags go-packages go-ldflags go-platform go-bootstrap fragments
other-fields := summary licence source sha256 upstream depends files symbols image users module go-replace go-require go-sum go-modfile go-delete
fields       := $(key-fields) $(other-fields)

# What each build system needs itself. A target package built with one of $(cross-builds) needs the C toolchain too.
needs.autotools := host-make
needs.make      := host-make
needs.kconfig   := host-make
needs.meson     := host-meson host-ninja host-pkgconf
needs.go        := host-go
toolchain       := cross-binutils cross-gcc musl linux-headers
cross-builds    := autotools make kconfig meson go

recipe-files := $(wildcard packages/*/*.mk kernel/*.mk init/*.mk)
recipe-names := $(basename $(notdir $(recipe-files)))
recipe-file   = $(filter %/$1.mk,$(recipe-files))
$(foreach n,$(if $(filter-out $(words $(sort $(recipe-names))),$(words $(recipe-names))),$(sort $(recipe-names))),$(if $(word 2,$(call recipe-file,$n)),$(error Two recipes have one name: $(call recipe-file,$n))))
is-host       = $(filter host-% cross-%,$1)

define newline


endef

clear-fields := $(foreach f,$(fields),$f :=$(newline)$f-y :=$(newline))
define read-one
packages += $1
$(clear-fields)
include $(call recipe-file,$1)
$(foreach f,$(fields),$1.$f := $$(strip $$($f) $$($f-y))$(newline))
$1.depends := $$(filter-out $1,$$(sort $$($1.depends) $$(needs.$$($1.build)) $$(if $(call is-host,$1),,$$(if $$(filter $$($1.build),$(cross-builds)),$(toolchain)))))
endef

# $(call read,package,who asks for it)
read = $(if $(filter $1,$(packages)),,$(if $(call recipe-file,$1),,$(call no-recipe,$1,$2))$(eval $(call read-one,$1))$(foreach d,$($1.depends),$(call read,$d,$1)))
no-recipe = $(error There is no package '$1', which $2 asks for. A package is packages/<folder>/$1.mk)

# `make zlib`, `make zlib-rebuild` and the like work on packages that the configuration does not select.
package-verbs := rebuild shell
named := $(filter $(recipe-names),$(foreach v,$(package-verbs),$(patsubst %-$v,%,$(goals))) $(patsubst why-%,%,$(goals)))

image-packages := $(sort $(CONFIG_PACKAGES) init)
packages :=
$(foreach p,host-bubblewrap linux $(image-packages) $(named),$(call read,$p,the configuration))
# Last, because it is made from what the others say of themselves.
$(call read,image,the engine)
