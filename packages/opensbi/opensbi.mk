# What a RISC-V machine runs before and below the kernel: QEMU loads it as the machine's firmware.
summary   = Firmware of RISC-V machines
version   = 1.6
licence   = BSD-2-Clause
source    = debian:opensbi/opensbi_$(version).orig.tar.gz
sha256    = d11702103f177a2914e94eec57ce5ed820296d874f6b6525c4482e55d71a3667
depends   = cross-binutils cross-gcc host-make
build     = own
