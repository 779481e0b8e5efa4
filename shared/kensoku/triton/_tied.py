"""Become another program that ends with the process that started it: `_tied.py PARENT_PID PROGRAM ARGUMENT...`.

A program of its own, since the same code run between fork and exec could deadlock in a parent with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h

ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):  # else the parent ended before the line above
    os.execv(sys.argv[2], sys.argv[2:])
