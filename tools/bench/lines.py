"""Prints the lines of ccache's log that name the project.

The simple rival in `cargo xtask bench`. It does much less than the validator: no verdict, no
counters, and lines that belong together are not kept together.
"""

import os
import sys


def main():
    project = os.fsencode(os.environ["CCACHE_BASEDIR"])
    with open(os.environ["CCACHE_LOGFILE"], "rb") as log:
        sys.stdout.buffer.writelines(line for line in log if project in line)


if __name__ == "__main__":
    main()
