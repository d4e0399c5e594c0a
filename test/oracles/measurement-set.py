"""Reads a MeasurementSet with python-casacore and prints what is in it as JSON.

usage: measurement-set.py SET
"""

import hashlib
import json
import sys

import numpy as np
from casacore.tables import required_ms_desc, table, taql


def plain(value):
    if isinstance(value, dict) and "array" in value and "shape" in value:
        return {"shape": list(value["shape"]), "values": plain(value["array"])}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.ravel()]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, complex) or isinstance(value, np.complexfloating):
        return [float(value.real), float(value.imag)]
    if isinstance(value, np.generic):
        return value.item()
    return value


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def cells(tab, name):
    out = []
    for row in range(tab.nrows()):
        if not tab.iscelldefined(name, row):
            out.append(None)
            continue
        value = tab.getcell(name, row)
        if isinstance(value, np.ndarray):
            out.append({"shape": list(value.shape), "values": plain(value)})
        else:
            out.append(plain(value))
    return out


def differences(tab, required):
    """Required columns that are absent, of another type or dimension, or with other units or measures."""
    wrong = []
    for name, wanted in required.items():
        if name.startswith("_") or not isinstance(wanted, dict):
            continue
        if name not in tab.colnames():
            wrong.append(f"{name} is missing")
            continue
        have = tab.getcoldesc(name)
        if have["valueType"] != wanted["valueType"]:
            wrong.append(f"{name} is {have['valueType']}, not {wanted['valueType']}")
        if have.get("ndim", 0) != wanted.get("ndim", 0):
            wrong.append(f"{name} has ndim {have.get('ndim', 0)}, not {wanted.get('ndim', 0)}")
        keywords = plain(tab.getcolkeywords(name))
        if name == "FLAG_CATEGORY" and keywords.pop("CATEGORY", None) != []:
            wrong.append("FLAG_CATEGORY has no empty keyword CATEGORY")
        if keywords != plain(wanted["keywords"]):
            wrong.append(f"{name} has keywords {tab.getcolkeywords(name)}, not {wanted['keywords']}")
    return wrong


def main(path):
    tab = table(path, ack=False)
    out = {"rows": tab.nrows(), "columns": {}, "subtables": {}, "invalid": {}}
    for name in tab.colnames():
        if name != "FLAG_CATEGORY":
            out["columns"][name] = digest(tab.getcol(name))
    out["flagCategoryDefined"] = any(tab.iscelldefined("FLAG_CATEGORY", row) for row in range(tab.nrows()))
    keywords = tab.getkeywords()
    out["keywords"] = {key: plain(value) for key, value in keywords.items() if not str(value).startswith("Table: ")}
    out["invalid"]["MAIN"] = differences(tab, required_ms_desc())
    out["info"] = tab.info()
    out["tables"] = sorted(key for key, value in keywords.items() if str(value).startswith("Table: "))
    for name in out["tables"]:
        sub = table(f"{path}/{name}", ack=False)
        out["subtables"][name] = {column: cells(sub, column) for column in sub.colnames()}
        out["invalid"][name] = differences(sub, required_ms_desc(name))
    out["selected"] = taql(f"select from '{path}' where ANTENNA1 != ANTENNA2 and TIME > 0").nrows()
    print(json.dumps(out))


main(sys.argv[1])
