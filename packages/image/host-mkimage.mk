summary   = Composes, checks and writes images
version   = 1
licence   = MIT
build     = own
files     = scripts/mkimage
# What it shares with the engine's own programs.
shared    = scripts/tools
files    += $(shared)/args.cc $(shared)/file.cc $(shared)/manifest.cc $(shared)/sha256.cc $(shared)/text.cc $(shared)/tree.cc
files    += $(shared)/args.h $(shared)/file.h $(shared)/manifest.h $(shared)/result.h $(shared)/sha256.h $(shared)/text.h $(shared)/tree.h
