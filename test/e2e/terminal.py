"""Runs a command in a pseudo-terminal and passes on what it writes.

terminal.py COLUMNS ROWS ACTIONS COMMAND...
ACTIONS is a JSON list, done in order: each waits until the output since the one before matches "when", then types "send" or
gives the window "columns".
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios

columns, rows, actions, command = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:]


def resize(fd, wide):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, wide, 0, 0))


pid, fd = pty.fork()
if pid == 0:
    resize(0, columns)
    os.execvp(command[0], command)
resize(fd, columns)
heard = ""
while True:
    select.select([fd], [], [])
    try:
        block = os.read(fd, 65536)
    except OSError:  # The other end is closed.
        break
    if not block:
        break
    sys.stdout.buffer.write(block)
    heard += block.decode("utf-8", "replace")
    while actions and re.search(actions[0]["when"], heard):
        action = actions.pop(0)
        heard = ""
        if "columns" in action:
            resize(fd, action["columns"])
        else:
            os.write(fd, action["send"].encode())
sys.stdout.flush()
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
