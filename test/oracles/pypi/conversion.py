"""Compares a converted MeasurementSet with what pyuvdata makes of the same raw files: read, phase to the set's centre.

usage: conversion.py SET RAW...
"""

import json
import sys

import numpy as np
from casacore.tables import table
from pyuvdata import UVData

STOKES = {-5: 9, -6: 12, -7: 10, -8: 11}


def read(paths):
    files = [UVData.from_file(path, file_type="uvh5", run_check=False) for path in paths]
    for file in files:
        file.uvw_array = file.uvw_array.astype(float)  # fast_concat checks the type, and the writer's is float32
    raw = files[0]
    raw.fast_concat(files[1:], axis="freq", inplace=True, run_check=False)
    # pyuvdata knows no data that are fringe-stopped to the meridian under a header "drift": a fixed azimuth and
    # elevation is what they have, and makes phase() undo the w of the file.
    for entry in raw.phase_center_catalog.values():
        entry.update(cat_type="driftscan", cat_lon=0.0, cat_lat=np.pi / 2)
    return raw


def main(path, paths):
    main_table = table(path, ack=False)
    centre = table(f"{path}/FIELD", ack=False).getcell("PHASE_DIR", 0)[0]
    freq = table(f"{path}/SPECTRAL_WINDOW", ack=False).getcell("CHAN_FREQ", 0)
    stokes = list(table(f"{path}/POLARIZATION", ack=False).getcell("CORR_TYPE", 0))
    raw = read(paths)
    file_w = raw.uvw_array[:, 2].copy()
    raw.phase(lon=centre[0], lat=centre[1], cat_type="sidereal", phase_frame="icrs", cat_name="target")

    # pyuvdata: positions of antenna 2 minus antenna 1; the set the other way round, with the conjugate.
    turned = raw.ant_1_array > raw.ant_2_array
    sign = np.where(turned, 1, -1)
    uvw = sign[:, None] * raw.uvw_array
    set_uvw = main_table.getcol("UVW")
    order = np.argsort(raw.freq_array)
    codes = [STOKES[int(pol)] for pol in raw.polarization_array]
    swap = {9: 9, 10: 11, 11: 10, 12: 12}
    vis = raw.data_array[:, order]
    vis = np.where(
        turned[:, None, None],
        vis[:, :, [codes.index(swap[code]) for code in stokes]],
        np.conj(vis[:, :, [codes.index(code) for code in stokes]]),
    )
    # pyuvdata leaves polar motion out, millimetres of path: what is left is a phase linear in frequency.
    path_m = set_uvw[:, 2] - uvw[:, 2]
    vis = vis * np.exp(-2j * np.pi / 299792458 * path_m[:, None, None] * freq[None, :, None])
    data = main_table.getcol("DATA")
    seen = vis != 0
    print(
        json.dumps(
            {
                "channelsEqual": bool(np.array_equal(freq, raw.freq_array[order])),
                "uvwErrorMm": float(1000 * np.abs(set_uvw - uvw).max()),
                "pathErrorMm": float(1000 * np.abs(path_m).max()),
                "largestRotationM": float(np.abs(uvw[:, 2] - sign * file_w).max()),
                "largestError": float((np.abs(data - vis)[seen] / np.abs(vis[seen])).max()),
                "timeErrorS": float(np.abs(main_table.getcol("TIME") - (raw.time_array - 2400000.5) * 86400).max()),
            }
        )
    )


main(sys.argv[1], sys.argv[2:])
