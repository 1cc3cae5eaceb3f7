# A machine that was given no configuration: one that is server and client of itself. /run/config/nomad leads here then.
# Its API is for this machine alone (see ../nomad.hcl), and asks for a token all the same: a task of the exec driver shares the
# machine's network unless its job says otherwise. The first POST to /v1/acl/bootstrap gets the token that makes others.

server {
  enabled          = true
  bootstrap_expect = 1
}

client {
  enabled = true

  # Without it the client needs a default route to start; ports of jobs are announced on the same address as the API.
  network_interface = "lo"
}

acl {
  enabled = true
}
