"""`python -m wizard` is `tls-wizard`."""

import sys

from wizard.cli import main

sys.exit(main())
