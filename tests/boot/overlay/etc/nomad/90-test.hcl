# The test talks to the agent from outside the machine.
addresses {
  http = "0.0.0.0"
}
