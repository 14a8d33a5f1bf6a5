"""A small model on this machine, in a supervised child process: a first call needs no key."""
