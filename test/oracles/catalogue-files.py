"""Reads a VOTable and a FITS table with astropy and prints their columns and rows as JSON.

Usage: catalogue-files.py table.vot table.fits
"""

import json
import sys
import warnings

import numpy as np
from astropy.io import fits
from astropy.io.votable import parse, validate
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table

warnings.simplefilter("error")


def cells(column):
    masked = np.ma.getmaskarray(column)
    return [None if m or (isinstance(v, (float, np.floating)) and not np.isfinite(v)) else
            (v if isinstance(v, str) else v.decode() if isinstance(v, bytes) else v.item())
            for v, m in zip(np.ma.getdata(column), masked)]


votable = parse(sys.argv[1], verify="exception")
table = votable.get_first_table()
fields = [{"name": f.name, "unit": None if f.unit is None else f.unit.to_string("vounit"), "ucd": f.ucd,
           "ucdValid": check_ucd(f.ucd, check_controlled_vocabulary=True)} for f in table.fields]
rows = table.to_table(use_names_over_ids=True)
with fits.open(sys.argv[2], checksum=True) as hdus:
    hdus.verify("exception")
    header = dict(hdus[1].header)
    fits_rows = Table(hdus[1].data)
print(json.dumps({
    "fields": fields,
    "params": {p.name: (p.value if isinstance(p.value, (str, float)) else str(p.value)) for p in table.params},
    "votable": {name: cells(rows[name]) for name in rows.colnames},
    "fits": {name: cells(fits_rows[name]) for name in fits_rows.colnames},
    "object": header.get("OBJECT"),
}))
