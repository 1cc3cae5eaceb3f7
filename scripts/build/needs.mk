# What the engine needs of packages: the only place outside of recipes that knows packages by name. Read by scripts/tools/plan.cc.

# What every configuration builds: `image` is what `make all` copies to output/images; it is made of `image-packages`.
image          = image
image-packages = $(CONFIG_PACKAGES) init
selected       = linux $(image-packages) $(image)

# What builds run in, and what packs go-vendor: sources (its last source is the Go release).
sandbox = host-bubblewrap
packer  = host-go

# needs-<build system>: what a package that is built with it depends on; -target: what it does if it is built for the target.
toolchain              = cross-binutils cross-gcc linux-headers musl
needs-autotools        = host-make
needs-autotools-target = $(toolchain)
needs-make             = host-make
needs-make-target      = $(toolchain)
needs-kconfig          = host-make
needs-kconfig-target   = $(toolchain)
needs-meson            = host-meson host-ninja host-pkgconf
needs-meson-target     = $(toolchain)
needs-go               = host-go
needs-go-target        = $(toolchain)
needs-own              =
