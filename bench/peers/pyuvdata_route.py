"""pyuvdata: read, phase, write_ms; all files along frequency, or each subband into a set of its own.

usage: pyuvdata_route.py ARGUMENTS.json together|each
"""

import os
import sys
import warnings

import numpy as np
import peer

warnings.filterwarnings("ignore")
with peer.step("import"):
    from pyuvdata import UVData


def read(path):
    data = UVData.from_file(path, file_type="uvh5", run_check=False)
    data.uvw_array = data.uvw_array.astype(float)  # the writer's float32 stops fast_concat and write_ms
    # pyuvdata takes the header's "drift" for unprojected data; with a fixed direction phase() undoes the w of the file.
    for entry in data.phase_center_catalog.values():
        entry.update(cat_type="driftscan", cat_lon=0.0, cat_lat=np.pi / 2)
    return data


def phase(data, centre):
    data.phase(lon=np.radians(centre["raDeg"]), lat=np.radians(centre["decDeg"]), cat_type="sidereal", phase_frame="icrs", cat_name="target")


def write(data, path):
    data.write_ms(path, clobber=True, run_check=False)


arguments = peer.arguments()
if sys.argv[2] == "together":
    # The same as read(files, axis="freq"), whose check does not let the float32 UVW of the files pass.
    with peer.step("read"):
        first, *others = [read(path) for path in arguments["raw"]]
        first.fast_concat(others, axis="freq", inplace=True, run_check=False)
        del others
    with peer.step("phase"):
        phase(first, arguments)
    with peer.step("write"):
        write(first, arguments["output"])
else:
    os.makedirs(arguments["output"], exist_ok=True)
    for index, path in enumerate(arguments["raw"]):
        with peer.step("read"):
            data = read(path)
        with peer.step("phase"):
            phase(data, arguments)
        with peer.step("write"):
            write(data, os.path.join(arguments["output"], f"{index:02}.ms"))
peer.end()
