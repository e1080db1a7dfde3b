"""Runs a command while holding a lock on a file: ``locked.py wait|skip FILE COMMAND...``

The kernel lets go when the command ends, however it ends. Not the program ``flock``: macOS has none. The command takes this
process's place, so signals and the exit code are its own; its children do not inherit the lock from a Python program.
"""

import fcntl
import os
import sys

BUSY = 75  # EX_TEMPFAIL

how, path, *command = sys.argv[1:]
lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
os.set_inheritable(lock, True)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | (fcntl.LOCK_NB if how == "skip" else 0))
except BlockingIOError:
    sys.stderr.write(f"{path} is held: the run before this one has not ended, so nothing was started\n")
    sys.exit(BUSY)
os.execvp(command[0], command)  # noqa: S606
