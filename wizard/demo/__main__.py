"""`python -m wizard.demo restart FOLDER`: what a service manager does, for the sample Hub."""

import sys
from pathlib import Path

from wizard.demo.sandbox import Sandbox

Sandbox(Path(sys.argv[2])).restart()
