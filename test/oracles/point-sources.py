"""Compares the DATA of a MeasurementSet with a list of point sources seen through an Airy beam, with python-casacore.

usage: point-sources.py SET TRUTH_JSON

V = sum S(nu) A(theta(t), nu) exp(+2 pi i nu/c (u l + v m + w (n - 1))), sources by ICRS position, flux density at 1.4 GHz
and spectral index. Prints the rms of the residual over that of the data.
"""

import json
import sys

import numpy as np
from casacore.tables import table

C = 299792458.0
DISH = 4.65


def j1(x):
    """Bessel function J1 by its integral, exact to rounding for the arguments of a beam."""
    tau = (np.arange(256) + 0.5) * np.pi / 256
    return np.cos(tau - np.multiply.outer(x, np.sin(tau))).mean(axis=-1)


def unit(ra, dec):
    return np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def main(path, truth_path):
    sources = json.load(open(truth_path))["sources"]
    tab = table(path, ack=False)
    uvw, time = tab.getcol("UVW"), tab.getcol("TIME")
    cross = tab.getcol("ANTENNA1") != tab.getcol("ANTENNA2")
    freq = table(f"{path}/SPECTRAL_WINDOW", ack=False).getcell("CHAN_FREQ", 0)
    ra0, dec0 = table(f"{path}/FIELD", ack=False).getcell("PHASE_DIR", 0)[0]
    beam = tab.getkeyword("CONTIMG_BEAM")
    integration = np.searchsorted(np.unique(time), time)
    model = np.zeros((len(uvw), len(freq)), complex)
    for source in sources:
        ra, dec = np.radians(source["ra_deg"]), np.radians(source["dec_deg"])
        l = np.cos(dec) * np.sin(ra - ra0)
        m = np.sin(dec) * np.cos(dec0) - np.cos(dec) * np.sin(dec0) * np.cos(ra - ra0)
        n = np.sqrt(1 - l * l - m * m)
        flux = source["flux_1p4_jy"] * (freq / 1.4e9) ** source["alpha"]
        sine = np.array([np.linalg.norm(np.cross(unit(ra, dec), unit(a, d))) for a, d in zip(beam["RA"], beam["DEC"])])
        x = np.pi * DISH / C * np.outer(sine, freq)
        power = (2 * j1(x) / x) ** 2
        phase = 2j * np.pi / C * np.outer(uvw @ np.array([l, m, n - 1]), freq)
        model += (flux * power)[integration] * np.exp(phase)
    data = tab.getcol("DATA")[cross]
    residual = data - model[cross][:, :, None]
    out = {"residual": float(np.sqrt(np.mean(np.abs(residual) ** 2) / np.mean(np.abs(data) ** 2)))}
    print(json.dumps(out))


main(sys.argv[1], sys.argv[2])
