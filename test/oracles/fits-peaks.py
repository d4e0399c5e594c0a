"""Finds the peak nearest to each of a list of sources in a FITS image, with astropy.

usage: fits-peaks.py IMAGE TRUTH_JSON

Prints per source the parabolic peak and its offset from the true place in arcsec, and the beam of the image.
"""

import json
import sys
import warnings

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

warnings.simplefilter("ignore")
REACH = 4


def vertex(left, middle, right):
    return (left - right) / (2 * (left - 2 * middle + right))


def main(path, truth_path):
    header, data = fits.getheader(path), fits.getdata(path)[0, 0]
    wcs = WCS(header).celestial
    cell = abs(header["CDELT1"]) * 3600
    out = []
    for source in json.load(open(truth_path))["sources"]:
        x, y = wcs.all_world2pix([[source["ra_deg"], source["dec_deg"]]], 0)[0]
        xi, yi = int(round(x)), int(round(y))
        cut = data[yi - REACH : yi + REACH + 1, xi - REACH : xi + REACH + 1]
        dy, dx = np.unravel_index(np.argmax(cut), cut.shape)
        px, py = xi - REACH + dx, yi - REACH + dy
        fx = vertex(*data[py, px - 1 : px + 2])
        fy = vertex(*data[py - 1 : py + 2, px])
        out.append(
            {
                "name": source["name"],
                "trueJy": source["s_app_mean_jy"],
                "peakJy": float(data[py, px]),
                "offsetArcsec": float(np.hypot(px + fx - x, py + fy - y) * cell),
            }
        )
    print(json.dumps({"sources": out, "beamArcsec": 3600 * header.get("BMIN", 0)}))


main(sys.argv[1], sys.argv[2])
