"""Reads FITS files with astropy: verifies their checksums and gives headers, pixels and sky positions as JSON.

Arguments: image FILE [x,y ...]  or  table FILE
Pixel coordinates are zero-based, x along NAXIS1.
"""
import json
import sys
import warnings

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

mode, path, *points = sys.argv[1:]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    with fits.open(path, checksum=True) as units:
        if mode == "image":
            header, data = units[0].header, units[0].data
            wcs = WCS(header).celestial
            pixels = np.array([[float(v) for v in point.split(",")] for point in points]).reshape(-1, 2)
            sky = wcs.all_pix2world(pixels, 0) if len(pixels) else np.zeros((0, 2))
            out = {
                "shape": list(data.shape),
                "sum": float(np.nansum(data.astype(np.float64))),
                "first": [float(v) for v in data.ravel()[:8]],
                "sky": sky.tolist(),
                "cards": {k: v for k, v in header.items() if k and k not in ("HISTORY", "COMMENT")},
                "history": [str(line) for line in header.get("HISTORY", [])],
                "radesys": wcs.wcs.radesys,
            }
        else:
            table = units[1]
            out = {
                "columns": {c.name: {"unit": c.unit, "format": c.format} for c in table.columns},
                "values": {name: table.data[name].tolist() for name in table.columns.names},
                "cards": {k: v for k, v in table.header.items() if k and k not in ("HISTORY", "COMMENT")},
            }
out["warnings"] = [str(w.message) for w in caught]
json.dump(out, sys.stdout)
