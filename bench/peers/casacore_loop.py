"""A plain loop: each subband read by h5py, turned by numpy, put by python-casacore into one set with one window.

usage: casacore_loop.py ARGUMENTS.json
"""

import peer

with peer.step("import"):
    import erfa
    import h5py
    import numpy as np
    from casacore.tables import default_ms, makearrcoldesc, maketabdesc, table

C = 299792458.0
ARCSEC = np.pi / 648000


def earth_fixed(ra, dec, jd, eop, site):
    """Unit vector in ITRF axes of an ICRS direction."""
    dut1, xp, yp = eop[0], eop[1] * ARCSEC, eop[2] * ARCSEC
    lat, lon, height = site
    utc1, utc2 = 2400000.5, jd - 2400000.5
    astrom, _ = erfa.apco13(utc1, utc2, dut1, np.radians(lon), np.radians(lat), height, xp, yp, 0, 0, 0, 1)
    cirs = erfa.s2c(*erfa.atciqz(ra, dec, astrom))
    tt1, tt2 = erfa.taitt(*erfa.utctai(utc1, utc2))
    pole = erfa.pom00(xp, yp, erfa.sp00(tt1, tt2))
    return pole @ erfa.rz(erfa.era00(*erfa.utcut1(utc1, utc2, dut1)), np.eye(3)) @ cirs


arguments = peer.arguments()
ra, dec = np.radians(arguments["raDeg"]), np.radians(arguments["decDeg"])
eop = (arguments["dut1S"], arguments["xpArcsec"], arguments["ypArcsec"])
with peer.step("geometry"):
    with h5py.File(arguments["raw"][0], "r") as raw:
        head = {name: raw["Header"][name][()] for name in ("time_array", "ant_1_array", "ant_2_array", "antenna_numbers", "antenna_positions", "latitude", "longitude", "altitude", "phase_center_app_dec", "integration_time", "freq_array", "polarization_array")}
    site = (head["latitude"], head["longitude"], head["altitude"])
    turned = head["ant_1_array"] > head["ant_2_array"]
    ant1 = np.minimum(head["ant_1_array"], head["ant_2_array"])
    ant2 = np.maximum(head["ant_1_array"], head["ant_2_array"])
    position = np.zeros((head["antenna_numbers"].max() + 1, 3))
    position[head["antenna_numbers"]] = head["antenna_positions"]
    baseline = position[ant1] - position[ant2]
    lon, app_dec = np.radians(site[1]), float(head["phase_center_app_dec"])
    s0 = np.array([np.cos(app_dec) * np.cos(lon), np.cos(app_dec) * np.sin(lon), np.sin(app_dec)])
    uvw = np.zeros_like(baseline)
    for jd in np.unique(head["time_array"]):
        rows = head["time_array"] == jd
        w = earth_fixed(ra, dec, jd, eop, site)
        north = earth_fixed(ra, dec + 60 * ARCSEC, jd, eop, site)
        v = north - w * (north @ w)
        v /= np.linalg.norm(v)
        uvw[rows] = baseline[rows] @ np.array([np.cross(v, w), v, w]).T
    path_m = uvw[:, 2] - baseline @ s0

order = []
for path in arguments["raw"]:
    with h5py.File(path, "r") as raw:
        order.append((raw["Header/freq_array"][0].min(), path))
order.sort()
channels, pols = head["freq_array"].shape[1], len(head["polarization_array"])
total, rows = channels * len(order), len(ant1)

with peer.step("create"):
    shape = [total, pols]
    tiled = {"dataManagerType": "TiledColumnStMan"}
    description = maketabdesc(
        [
            makearrcoldesc("DATA", 0j, valuetype="complex", ndim=2, shape=shape, options=4, datamanagertype="TiledColumnStMan", datamanagergroup="data"),
            makearrcoldesc("FLAG", True, ndim=2, shape=shape, options=4, datamanagertype="TiledColumnStMan", datamanagergroup="flag"),
        ]
    )
    managers = {
        f"*{index}": {"NAME": name, "TYPE": "TiledColumnStMan", "COLUMNS": [column], "SPEC": {"DEFAULTTILESHAPE": np.array([pols, channels, 64], "i4")}}
        for index, (name, column) in enumerate([("data", "DATA"), ("flag", "FLAG")], 1)
    }
    ms = default_ms(arguments["output"], description, managers)
    ms.addrows(rows)

freqs = []
for index, (_, path) in enumerate(order):
    with peer.step("read"), h5py.File(path, "r") as raw:
        freq = raw["Header/freq_array"][0]
        vis = raw["Data/visdata"][()][:, 0]
        flags = raw["Data/flags"][()][:, 0].astype(bool)
        nsamples = raw["Data/nsamples"][()][:, 0]
    with peer.step("turn"):
        data, bad, freq = np.ascontiguousarray(vis[:, ::-1]), flags[:, ::-1], freq[::-1]
        np.conjugate(data, out=data, where=~turned[:, None, None])
        bad = bad | ~np.isfinite(data) | (data == 0) | (nsamples[:, ::-1] == 0)
        data[bad] = 0
        # A sine and a cosine a row; from channel to channel the phase turns by the same angle.
        phase = np.exp(-2j * np.pi / C * path_m * freq[0])
        turn = np.exp(-2j * np.pi / C * path_m * (freq[1] - freq[0]))
        for channel in range(channels):
            data[:, channel] *= phase[:, None]
            phase *= turn
    with peer.step("put"):
        blc, trc = [index * channels, 0], [(index + 1) * channels - 1, pols - 1]
        ms.putcolslice("DATA", data, blc, trc)
        ms.putcolslice("FLAG", bad, blc, trc)
    freqs.append(freq)
    weight = np.clip(nsamples.mean(axis=1) / 96, 0, 1)
with peer.step("tables"):
    columns = {
        "UVW": uvw,
        "TIME": (head["time_array"] - 2400000.5) * 86400,
        "TIME_CENTROID": (head["time_array"] - 2400000.5) * 86400,
        "INTERVAL": head["integration_time"],
        "EXPOSURE": head["integration_time"],
        "ANTENNA1": ant1.astype("i4"),
        "ANTENNA2": ant2.astype("i4"),
        "WEIGHT": weight,
        "SIGMA": np.ones_like(weight),
    }
    for name, values in columns.items():
        ms.putcol(name, values)
    window = table(arguments["output"] + "/SPECTRAL_WINDOW", readonly=False, ack=False)
    window.addrows(1)
    window.putcell("CHAN_FREQ", 0, np.concatenate(freqs))
    window.putcell("NUM_CHAN", 0, total)
    for name in ("DATA_DESCRIPTION", "FIELD", "POLARIZATION"):
        with table(f"{arguments['output']}/{name}", readonly=False, ack=False) as sub:
            sub.addrows(1)
    with table(arguments["output"] + "/FIELD", readonly=False, ack=False) as field:
        field.putcell("PHASE_DIR", 0, np.array([[ra, dec]]))
    window.close()
    ms.close()
peer.end()
