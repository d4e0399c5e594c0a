"""Prints the sha256 of the values of one array cell, read with python-casacore.

usage: cell.py TABLE COLUMN ROW
"""

import hashlib
import json
import sys

import numpy as np
from casacore.tables import table

path, column, row = sys.argv[1:]
value = np.ascontiguousarray(table(path, ack=False).getcell(column, int(row)))
print(json.dumps({"sha256": hashlib.sha256(value.tobytes()).hexdigest()}))
