"""What the running agent offers on its own machine: the control socket and how its lines are doing."""
