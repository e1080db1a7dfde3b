"""The commands about accounts and sessions, run as people run them: in a window, at a terminal, from a script."""
