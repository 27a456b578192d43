"""The program of a notebook's kernel process: IPython's kernel, ended by the system when its starter ends.

Run by its path, so that a kernel imports nothing of ours that the notebook does not import itself.
"""

import ctypes
import signal
import sys

if sys.platform.startswith("linux"):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
sys.path.pop(0)  # this file's folder

from ipykernel.kernelapp import launch_new_instance

launch_new_instance()
