# Sources: fetched by name into $(DL), checked against their pins. Nothing is built from a file that was not checked.

# MIRROR=dir|URL       looked at before the upstream sites; files are named by their SHA-256
# DEBIAN_MIRROR=URL    Debian's archive, on hosts without apt
export MIRROR DEBIAN_MIRROR

source-paths = $(addprefix $(DL)/,$(call files-of,$1))
downloads   := $(sort $(foreach p,$(packages),$(call source-paths,$p)))

.PHONY: source
source: $(downloads)

$(downloads): $(DL)/%: | $(O)/info
	$(Q)scripts/fetch --info $(O)/info --to $(DL) $*

# What packs Go services is the Go of the pinned toolchain, not the host's; host-go's last source is the newest.
go-tarballs := $(foreach p,$(packages),$(addprefix $(DL)/,$(patsubst go-vendor:%,%,$(filter go-vendor:%,$($p.source)))))
export GO_TOOLCHAIN_ZIP := $(lastword $(call source-paths,host-go))
$(go-tarballs): | $(GO_TOOLCHAIN_ZIP)
