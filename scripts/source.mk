# Sources: fetched into DL/<sha256>/<file>, checked against their pins. Nothing is built from a file that was not checked.

# MIRROR=dir|URL       looked at before the upstream sites; files are named by their SHA-256
# DEBIAN_MIRROR=URL    Debian's archive, on hosts without apt
export MIRROR DEBIAN_MIRROR

.PHONY: source
source: | $(downloads)

# What another make has just fetched is not for this one to remove when it is interrupted.
.PRECIOUS: $(downloads)
$(downloads):
	$(Q)scripts/fetch --to $(DL) $(notdir $(@D)) <$(O)/inputs/.sources/$(notdir $(@D))

$(goals.source): ; @:
