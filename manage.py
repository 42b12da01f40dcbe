#!/usr/bin/env python
"""Django's command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from config.environment import ConfigurationError

    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(f"Countersign cannot start: {error}")
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        sentence = " ".join(str(error).split())
        sys.exit(f"The database that DATABASE_URL names cannot be used ({sentence}).")
