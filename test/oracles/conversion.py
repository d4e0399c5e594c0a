"""Compares a converted MeasurementSet with its raw files, with python-casacore, h5py and ERFA.

usage: conversion.py SET EOP_JSON RAW...

EOP_JSON holds, per integration, UT1-UTC in seconds and the pole in arcsec: [[dut1, xp, yp], ...]. The geometry is worked
out anew from ERFA; nothing of contimg is used. Samples are held one file at a time.
"""

import json
import sys

import erfa
import h5py
import numpy as np
from casacore.tables import table

C = 299792458.0
ARCSEC = np.pi / 648000
STOKES = {-5: 9, -6: 12, -7: 10, -8: 11}


def read_header(path):
    with h5py.File(path, "r") as raw:
        head = raw["Header"]
        get = lambda name: head[name][()]
        return {
            "path": path,
            "freq": get("freq_array")[0],
            "time": get("time_array"),
            "ant1": get("ant_1_array"),
            "ant2": get("ant_2_array"),
            "pols": list(get("polarization_array")),
            "positions": get("antenna_positions"),
            "numbers": list(get("antenna_numbers")),
            "dec": float(get("phase_center_app_dec")),
            "site": (float(get("latitude")), float(get("longitude")), float(get("altitude"))),
        }


def in_set_form(raw, stokes):
    """Visibilities (row, channel ascending, correlation) as <V1 conj(V2)>, antenna1 <= antenna2, not rotated."""
    order = np.argsort(raw["freq"])
    with h5py.File(raw["path"], "r") as file:
        vis = file["Data/visdata"][()][:, 0][:, order]
        flags = file["Data/flags"][()][:, 0][:, order].astype(bool)
    codes = [STOKES[int(pol)] for pol in raw["pols"]]
    swap = {9: 9, 10: 11, 11: 10, 12: 12}
    direct = [codes.index(code) for code in stokes]
    turned = [codes.index(swap[code]) for code in stokes]
    reverse = (raw["ant1"] > raw["ant2"])[:, None, None]
    out = np.where(reverse, vis[:, :, turned], np.conj(vis[:, :, direct]))
    bad = ~np.isfinite(out) | (out == 0)
    out_flags = np.where(reverse, flags[:, :, turned], flags[:, :, direct]) | bad
    return np.where(bad, 0, out), out_flags


def earth_fixed(ra, dec, jd, eop, site):
    """Unit vector in ITRF axes of an ICRS direction seen by an observer on the ground: ERFA's apco13 and atciqz."""
    dut1, xp, yp = eop
    xp, yp = xp * ARCSEC, yp * ARCSEC
    lat, lon, height = site
    utc1, utc2 = 2400000.5, jd - 2400000.5
    astrom, _ = erfa.apco13(utc1, utc2, dut1, np.radians(lon), np.radians(lat), height, xp, yp, 0, 0, 0, 1)
    ri, di = erfa.atciqz(ra, dec, astrom)
    cirs = erfa.s2c(ri, di)
    ut11, ut12 = erfa.utcut1(utc1, utc2, dut1)
    tai1, tai2 = erfa.utctai(utc1, utc2)
    tt1, tt2 = erfa.taitt(tai1, tai2)
    pole = erfa.pom00(xp, yp, erfa.sp00(tt1, tt2))
    return pole @ erfa.rz(erfa.era00(ut11, ut12), np.eye(3)) @ cirs


def main(path, eop_path, raw_paths):
    eops = json.load(open(eop_path))
    raws = sorted((read_header(path) for path in raw_paths), key=lambda raw: raw["freq"].min())
    first = raws[0]
    main_table = table(path, ack=False)
    uvw = main_table.getcol("UVW")
    ant1, ant2 = main_table.getcol("ANTENNA1"), main_table.getcol("ANTENNA2")
    position = table(f"{path}/ANTENNA", ack=False).getcol("POSITION")
    freq = table(f"{path}/SPECTRAL_WINDOW", ack=False).getcell("CHAN_FREQ", 0)
    stokes = list(table(f"{path}/POLARIZATION", ack=False).getcell("CORR_TYPE", 0))
    centre = table(f"{path}/FIELD", ack=False).getcell("PHASE_DIR", 0)[0]
    lat, lon, height = first["site"]
    dec = first["dec"]
    s0 = np.array([np.cos(dec) * np.cos(np.radians(lon)), np.cos(dec) * np.sin(np.radians(lon)), np.sin(dec)])

    # The raw data must come back when the path that the W column states is undone.
    baseline = position[ant1] - position[ant2]
    path_m = uvw[:, 2] - baseline @ s0
    out = {"rows": len(uvw), "largestError": 0.0, "flagsEqual": True, "absentFlagged": True}
    seen = np.zeros(len(freq), bool)
    for raw in raws:
        expected, flags = in_set_form(raw, stokes)
        channels = np.searchsorted(freq, np.sort(raw["freq"]))
        seen[channels] = True
        assert np.array_equal(freq[channels], np.sort(raw["freq"]))
        blc, trc = [int(channels[0]), 0], [int(channels[-1]), len(stokes) - 1]
        data = main_table.getcolslice("DATA", blc, trc)
        undone = data * np.exp(2j * np.pi / C * path_m[:, None, None] * np.sort(raw["freq"])[None, :, None])
        error = np.abs(undone - expected)[expected != 0] / np.abs(expected[expected != 0])
        out["largestError"] = max(out["largestError"], float(error.max()))
        out["flagsEqual"] &= bool(np.array_equal(main_table.getcolslice("FLAG", blc, trc), flags))
    for channel in np.flatnonzero(~seen):
        blc, trc = [int(channel), 0], [int(channel), len(stokes) - 1]
        out["absentFlagged"] &= bool(main_table.getcolslice("FLAG", blc, trc).all())
        out["absentFlagged"] &= not main_table.getcolslice("DATA", blc, trc).any()

    # Times, antennas and positions as in the files.
    number = np.array(first["numbers"])
    out["pairsEqual"] = bool(
        np.array_equal(number[ant1], np.minimum(first["ant1"], first["ant2"]))
        and np.array_equal(number[ant2], np.maximum(first["ant1"], first["ant2"]))
    )
    out["timeErrorS"] = float(np.abs(main_table.getcol("TIME") - (first["time"] - 2400000.5) * 86400).max())
    itrf = erfa.gd2gc(1, np.radians(lon), np.radians(lat), height)
    out["positionErrorM"] = float(np.abs(position - (first["positions"] + itrf)).max())

    # UVW and the phase centre from ERFA.
    times = np.unique(first["time"])
    per_integration = len(uvw) // len(times)
    worst = 0.0
    for k, jd in enumerate(times):
        rows = slice(k * per_integration, (k + 1) * per_integration)
        w = earth_fixed(centre[0], centre[1], jd, eops[k], first["site"])
        north = earth_fixed(centre[0], centre[1] + 60 * ARCSEC, jd, eops[k], first["site"])
        v = north - w * (north @ w)
        v /= np.linalg.norm(v)
        frame = np.array([np.cross(v, w), v, w])
        worst = max(worst, float(np.abs(uvw[rows] - baseline[rows] @ frame.T).max()))
    out["uvwErrorMm"] = 1000 * worst
    middle = (times[0] + times[-1]) / 2
    eop = [(a + b) / 2 for a, b in zip(eops[0], eops[-1])]
    there = earth_fixed(centre[0], centre[1], middle, eop, first["site"])
    out["centreErrorArcsec"] = float(np.linalg.norm(there - s0) / ARCSEC)
    print(json.dumps(out))


main(sys.argv[1], sys.argv[2], sys.argv[3:])
