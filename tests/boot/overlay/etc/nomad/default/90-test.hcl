# The test talks to the agent from outside the machine.
addresses {
  http = "0.0.0.0"
}

client {
  chroot_env {
    "/usr/bin/busybox" = "/bin/busybox"
    "/etc/passwd"      = "/etc/passwd"
    "/etc/group"       = "/etc/group"
  }
}
