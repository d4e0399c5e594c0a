"""Reads tables with python-casacore and prints all of their cells as JSON.

usage: table.py TABLE...
"""

import json
import sys

import numpy as np
from casacore.tables import table


def plain(value):
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "values": [plain(item) for item in value.ravel()]}
    if isinstance(value, dict):
        return {"shape": list(value["shape"]), "values": value["array"]} if "array" in value else value
    if isinstance(value, (complex, np.complexfloating)):
        return [float(value.real), float(value.imag)]
    return value.item() if isinstance(value, np.generic) else value


def read(path):
    tab = table(path, ack=False)
    columns = {}
    for name in tab.colnames():
        defined = [tab.iscelldefined(name, row) for row in range(tab.nrows())]
        columns[name] = [plain(tab.getcell(name, row)) if there else None for row, there in enumerate(defined)]
    keywords = tab.getkeywords()
    return {"columns": columns, "keywords": {key: plain(value) for key, value in keywords.items()}}


print(json.dumps([read(path) for path in sys.argv[1:]]))
