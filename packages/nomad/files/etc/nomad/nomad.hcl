# What every Nomad agent of this system has in common, whatever its part. The rest is in /run/config/nomad: the machine's
# own configuration, or, where there is none, /etc/nomad/default.
#
# Nomad merges its files in order and the later one wins, but a switch that is on cannot be turned off again. So nothing
# is switched on here that some machine would want off: not the server, not the client, not ACLs.

# On the machine's disk, if one is named (docs/init.md, Disks); if not, this is memory, and fresh at each boot.
data_dir = "/var/persist/nomad"

# Only this machine can talk to the agent, until its configuration says who else may: set bind_addr and advertise (all
# three), and with them tls and acl. Who reaches the API of an agent without ACLs can run programs as root.
bind_addr = "127.0.0.1"

advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}

log_level = "INFO"

# It would ask a server of HashiCorp's for news.
disable_update_check = true

# A server or client that is stopped for an update of the machine comes back: it does not leave the cluster.
leave_on_interrupt = false
leave_on_terminate = false

client {
  # The default would copy the system's programs, Nomad itself among them, into each task of the exec driver. A task
  # brings its program (artifact, or a host volume); it gets what a static program wants from a system.
  chroot_env {
    "/etc/ssl/certs/ca-certificates.crt" = "/etc/ssl/certs/ca-certificates.crt"
    "/etc/passwd"                        = "/etc/passwd"
    "/etc/group"                         = "/etc/group"
    "/etc/hosts"                         = "/etc/hosts"
    "/run/resolv.conf"                   = "/etc/resolv.conf"
  }

  options {
    # Does the machine run in a cloud? Asking costs seconds where nobody answers, and whoever does answer on 169.254.169.254
    # is believed. On a machine in a cloud: "fingerprint.denylist" = ""
    "fingerprint.denylist" = "env_aws,env_azure,env_digitalocean,env_gce"
  }
}

# raw_exec, which runs tasks as root with no isolation at all, is off unless a configuration turns it on:
#   plugin "raw_exec" { config { enabled = true } }
