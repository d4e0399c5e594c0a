#!/usr/bin/env python3
"""Makes stages/runtime/sky/earth-orientation.json from the IERS table in the PyPI package astropy-iers-data.

    python3 -m venv venv && venv/bin/pip install astropy-iers-data
    venv/bin/python scripts/earth-orientation.py

UT1-UTC and polar motion, one value for each day (0h UTC) from 2020-01-01 to the end of the IERS predictions: the final
values of Bulletin B where there are any, else those of Bulletin A (finals2000A.all, see its ReadMe for the columns).
"""

import json
import pathlib
from importlib.metadata import version

from astropy_iers_data import IERS_A_FILE

FIRST_MJD = 58849  # 2020-01-01
TARGET = pathlib.Path(__file__).resolve().parent.parent / "stages/runtime/sky/earth-orientation.json"


def field(line, first, last):
    """Value of the columns first..last (1-based, inclusive), or None when blank."""
    text = line[first - 1 : last].strip()
    return float(text) if text else None


def read_days(path):
    for line in pathlib.Path(path).read_text().splitlines():
        mjd = int(float(line[7:15]))
        dut1 = field(line, 155, 165) if field(line, 155, 165) is not None else field(line, 59, 68)
        xp = field(line, 135, 144) if field(line, 135, 144) is not None else field(line, 19, 27)
        yp = field(line, 145, 154) if field(line, 145, 154) is not None else field(line, 38, 46)
        measured = line[57:58] == "I"
        if mjd >= FIRST_MJD and None not in (dut1, xp, yp):
            yield mjd, round(dut1, 6), round(xp, 5), round(yp, 5), measured


days = list(read_days(IERS_A_FILE))
if [day[0] for day in days] != list(range(FIRST_MJD, FIRST_MJD + len(days))):
    raise SystemExit("the table has a gap")
last_measured = max(day[0] for day in days if day[4])
table = {
    "source": "IERS Rapid Service/Prediction Center, finals2000A.all (Bulletins A and B), from the PyPI package "
    f"astropy-iers-data {version('astropy-iers-data')}; measured to MJD {last_measured}, predicted after",
    "firstMjd": FIRST_MJD,
    "dut1S": [day[1] for day in days],
    "xpArcsec": [day[2] for day in days],
    "ypArcsec": [day[3] for day in days],
}
TARGET.write_text(json.dumps(table, separators=(",", ":")).replace(',"', ',\n"') + "\n")
print(f"{TARGET.name}: MJD {FIRST_MJD} to {days[-1][0]}, measured to {last_measured}")
