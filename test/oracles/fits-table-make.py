"""Writes a FITS table with every column type that catalogues use, by astropy, for our reader. Argument: FILE"""
import json
import sys

import numpy as np
from astropy.io import fits

columns = [
    fits.Column("ra", "D", unit="deg", array=np.array([359.9, 0.1, 10.0])),
    fits.Column("flux", "E", unit="mJy", array=np.array([1.5, np.nan, 3.25], dtype="f4")),
    fits.Column("count", "J", null=-999, array=np.array([1, -999, 3], dtype="i4")),
    fits.Column("long", "K", array=np.array([1, 2**40, -3], dtype="i8")),
    fits.Column("small", "I", array=np.array([0, 3, 4], dtype="i2")),
    fits.Column("byte", "B", array=np.array([0, 127, 255], dtype="u1")),
    fits.Column("flag", "L", array=np.array([True, False, True])),
    fits.Column("name", "12A", array=np.array(["J0001+01", "b", ""])),
    fits.Column("pair", "2D", array=np.arange(6.0).reshape(3, 2)),
    fits.Column("wave", "C", array=np.array([1 + 2j, 0, 1])),
]
image = fits.PrimaryHDU(np.zeros((3, 5), dtype="f4"))
table = fits.BinTableHDU.from_columns(columns, name="SOURCES")
table.header["TSCAL5"] = 0.5
table.header["TZERO5"] = 10.0
fits.HDUList([image, table]).writeto(sys.argv[1], overwrite=True)
json.dump({"rows": 3}, sys.stdout)
