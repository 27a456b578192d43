"""The program of a notebook's kernel process: IPython's kernel, ended by the system when its starter ends.

Run by its path, so that a kernel imports nothing of ours that the notebook does not import itself. The first argument
is the memory in bytes that the kernel may take, or empty.
"""

import ctypes
import resource
import signal
import sys

if sys.platform.startswith("linux"):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
if memory_bytes := sys.argv.pop(1):
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory_bytes), int(memory_bytes)))
sys.path.pop(0)  # this file's folder

from ipykernel.kernelapp import launch_new_instance

launch_new_instance()
