"""Runs a command in a terminal of its own, and passes on what it writes there.

    terminal.py COLUMNS COMMAND...

The command's standard output is joined to the terminal as well. Its exit code becomes this one's.
What is in $TYPED is typed there, and Enter.
"""

import fcntl
import os
import pty
import struct
import sys
import termios


def main(columns, command):
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    if "TYPED" in os.environ:
        os.write(terminal, os.environ["TYPED"].encode() + b"\n")
    while True:
        try:
            written = os.read(terminal, 65536)
        except OSError:  # Linux says so when the last program has closed it.
            break
        if not written:
            break
        os.write(1, written)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
