"""Files of another telescope in every form that pyuvdata writes or reads, and what pyuvdata makes of them.

usage: dialects.py write DIRECTORY    prints {name: [file, ...]}
       dialects.py compare JSON       a file with {name: [set, file, ...]}: prints how each set differs from what its files say
"""

import json
import sys
import warnings

import h5py
import numpy as np
from astropy import units
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time
from pyuvdata import Telescope, UVData, utils

warnings.simplefilter("ignore")

C = 299792458.0
ARCSEC = np.pi / 648000
STOKES = {-1: 5, -2: 8, -3: 6, -4: 7, -5: 9, -6: 12, -7: 10, -8: 11}
SWAP = {5: 5, 6: 7, 7: 6, 8: 8, 9: 9, 10: 11, 11: 10, 12: 12}
SITE = EarthLocation.from_geodetic(21.428 * units.deg, -30.721 * units.deg, 1051 * units.m)
NUMBERS = [0, 3, 7, 8, 12, 20]
RANDOM = np.random.default_rng(5)
# Short enough that polar motion, which pyuvdata leaves out, makes less than a millimetre.
POSITIONS = utils.ECEF_from_ENU(RANDOM.uniform(-100, 100, (6, 3)) * [1, 1, 0.02], center_loc=SITE) - np.array(
    [coordinate.value for coordinate in (SITE.x, SITE.y, SITE.z)]
)


def observation(pols=("xx", "yy"), channels=6, first_hz=1.5e8, blt_order="time", integrations=4):
    circular = pols[0][0] in "rl"
    telescope = Telescope.new(
        name="TEST",
        location=SITE,
        antenna_positions=dict(zip(NUMBERS, POSITIONS)),
        instrument="test",
        mount_type="fixed",
        feeds=["r", "l"] if circular else ["x", "y"],
        feed_angle=[0.0, 0.0] if circular else [np.pi / 2, 0.0],
    )
    # Some pairs are listed the other way round.
    pairs = [(b, a) if (a + b) % 5 == 0 else (a, b) for i, a in enumerate(NUMBERS) for b in NUMBERS[i:]]
    data = UVData.new(
        freq_array=first_hz + 1e5 * np.arange(channels),
        polarization_array=list(pols),
        times=2460500.3 + np.arange(integrations) * 60 / 86400,
        telescope=telescope,
        antpairs=pairs,
        do_blt_outer=True,
        time_axis_faster_than_bls=blt_order == "baseline",
        integration_time=60.0,
        channel_width=1e5,
        empty=True,
    )
    shape = data.data_array.shape
    data.data_array = (RANDOM.normal(size=shape) + 1j * RANDOM.normal(size=shape)).astype("c8")
    data.flag_array = RANDOM.uniform(size=shape) < 0.1
    data.nsample_array = np.ones(shape, "f4")
    return data


def phased(frame="icrs", **options):
    data = observation(**options)
    data.phase(lon=1.0, lat=-0.5, phase_frame=frame, cat_name="source", cat_type="sidereal")
    return data


def driftscan():
    data = observation()
    data.phase(lon=0.7, lat=1.1, phase_frame="altaz", cat_name="fixed", cat_type="driftscan")
    return data


def write(data, path, **options):
    plain = {"run_check": False, "check_autos": False, "clobber": True}
    data.write_uvh5(path, **{**plain, **options})
    return [path]


def shuffled(data):
    order = RANDOM.permutation(data.Nblts)
    data.reorder_blts(order=order, run_check=False)
    return data


def gaps(data):
    data.select(blt_inds=np.sort(RANDOM.choice(data.Nblts, data.Nblts - 20, replace=False)), run_check=False)
    return data


def samples(data):
    data.nsample_array = RANDOM.uniform(0.1, 1, data.data_array.shape).astype("f4")
    return data


def before_1_0(path):
    """Version 0.x: a spectral-window axis, scalar widths, phase_type instead of a catalogue."""
    with h5py.File(path, "r+") as file:
        header = file["Header"]
        [centre] = header["phase_center_catalog"].values()
        if centre["cat_type"][()] == b"sidereal":
            header["phase_type"] = np.bytes_("phased")
            header["phase_center_ra"] = centre["cat_lon"][()]
            header["phase_center_dec"] = centre["cat_lat"][()]
            header["phase_center_epoch"] = 2000.0
            header["phase_center_frame"] = centre["cat_frame"][()]
            header["object_name"] = centre["cat_name"][()]
        else:
            header["phase_type"] = np.bytes_("drift")
            header["object_name"] = np.bytes_("zenith")
        for name in ("channel_width", "integration_time"):
            value = header[name][0]
            del header[name]
            header[name] = value
        frequencies = header["freq_array"][()]
        for name in ("freq_array", "version", "phase_center_catalog", "phase_center_id_array", "Nphase",
                     "flex_spw_id_array", "telescope_frame", "mount_type", "feed_array", "feed_angle", "Nfeeds",
                     "phase_center_app_ra", "phase_center_app_dec", "phase_center_frame_pa"):
            if name in header:
                del header[name]
        header["freq_array"] = frequencies[None]
        for name in ("visdata", "flags", "nsamples"):
            value = file["Data"][name][()]
            del file["Data"][name]
            file["Data"][name] = value[:, None]
    return [path]


def version_1_0(path):
    """Version 1.0: the catalogue as JSON texts, named by the centre."""
    with h5py.File(path, "r+") as file:
        header = file["Header"]
        [(number, centre)] = header["phase_center_catalog"].items()
        fields = {"cat_id": int(number)}
        for name, value in centre.items():
            if value.shape is None:
                fields[name] = None
            else:
                value = value[()]
                fields[name] = value.decode() if isinstance(value, bytes) else float(value)
        name = fields.pop("cat_name")
        del header["phase_center_catalog"], header["version"]
        header.create_group("phase_center_catalog")[name] = np.bytes_(json.dumps(fields))
        header["version"] = np.bytes_("1.0")
    return [path]


def version_1_1(path):
    with h5py.File(path, "r+") as file:
        for name in ("version", "telescope_frame", "mount_type", "feed_array", "feed_angle", "Nfeeds"):
            if name in file["Header"]:
                del file["Header"][name]
        file["Header/version"] = np.bytes_("1.1")
        file["Header/x_orientation"] = np.bytes_("east")
    return [path]


def write_all(directory):
    at = lambda name: f"{directory}/{name}.uvh5"
    integers = np.dtype([("r", "<i4"), ("i", "<i4")])
    large = observation()
    large.data_array = np.round(1000 * large.data_array)
    split = [phased(first_hz=1.5e8 + 6e5 * i) for i in (0, 1, 3)]
    for part in split[1:]:
        part.flag_array = split[0].flag_array
    out = {
        "unprojected": write(observation(), at("unprojected")),
        "sidereal": write(phased(), at("sidereal")),
        "sidereal, FK5": write(phased("fk5"), at("fk5")),
        "driftscan": write(driftscan(), at("driftscan")),
        "version 0, drift": before_1_0(*write(observation(), at("drift"))),
        "version 0, phased": before_1_0(*write(phased(), at("phased"))),
        "version 1.0": version_1_0(*write(phased(), at("v10"))),
        "version 1.1": version_1_1(*write(phased(), at("v11"))),
        "baselines slowest": write(observation(blt_order="baseline"), at("baseline")),
        "any row order": write(shuffled(observation()), at("shuffled")),
        "missing rows": write(gaps(phased()), at("gaps")),
        "4 polarisations": write(observation(pols=("xx", "xy", "yx", "yy")), at("four")),
        "circular": write(phased(pols=("rr", "ll", "rl", "lr")), at("circular")),
        "one polarisation": write(observation(pols=("yy",)), at("one")),
        "varying sample counts": write(samples(observation()), at("samples")),
        "complex128": write(observation(), at("c16"), data_write_dtype="c16"),
        "complex integers": write(large, at("int32"), data_write_dtype=integers),
        "gzip": write(observation(), at("gzip"), data_compression="gzip", flags_compression="gzip"),
        "LZF": write(observation(), at("lzf"), data_compression="lzf"),
        "bitshuffle": write(observation(), at("bitshuffle"), data_compression="bitshuffle"),
        "contiguous": write(
            observation(), at("contiguous"), chunks=None, flags_compression=None, nsample_compression=None
        ),
        "one channel": write(observation(channels=1), at("channel")),
        "several files": [path for i, part in enumerate(split) for path in write(part, at(f"part{i}"))],
    }
    print(json.dumps(out))


def read(paths):
    parts = sorted((UVData.from_file(path, file_type="uvh5", run_check=False) for path in paths),
                   key=lambda part: part.freq_array[0])
    for part in parts:
        if np.size(part.integration_time) == 1:
            part.integration_time = np.full(part.Nblts, float(part.integration_time))
        if part.phase_center_app_ra is None:
            part._set_app_coords_helper()
    if len(parts) > 1:
        parts[0].fast_concat(parts[1:], axis="freq", inplace=True, run_check=False)
    return parts[0]


def expected_centre(raw):
    """ICRS place that the converter must choose."""
    [centre] = raw.phase_center_catalog.values()
    kind = centre["cat_type"]
    if kind == "sidereal":
        return SkyCoord(centre["cat_lon"], centre["cat_lat"], unit="rad", frame=centre["cat_frame"]).icrs
    # pyuvdata adds the hour angle of a driftscan to the sidereal time: it phases to the mirrored azimuth.
    middle = Time((raw.time_array.min() + raw.time_array.max()) / 2, format="jd")
    az, alt = (0, np.pi / 2) if kind == "unprojected" else (-centre["cat_lon"], centre["cat_lat"])
    return SkyCoord(AltAz(az=az * units.rad, alt=alt * units.rad, obstime=middle, location=SITE)).icrs


def with_exact_north(raw):
    """uvw with the position angle of ICRS north at the centre.

    pyuvdata takes it at the end of an arc of 1 degree, where the meridians have converged by up to 0.5 degrees times
    tan(dec): some arcseconds of rotation about the centre. With an arc of 2 arcseconds it is right to 0.01.
    """
    exact = utils.phasing.calc_frame_pos_angle(
        time_array=raw.time_array, app_ra=raw.phase_center_app_ra, app_dec=raw.phase_center_app_dec,
        telescope_loc=raw.telescope.location, ref_frame="icrs", offset_pos=1 * ARCSEC,
    )
    turn = exact - raw.phase_center_frame_pa
    u, v, w = raw.uvw_array.T
    return np.stack([u * np.cos(turn) - v * np.sin(turn), v * np.cos(turn) + u * np.sin(turn), w], axis=1)


def compare(path, paths):
    from casacore.tables import table

    main = table(path, ack=False)
    centre = table(f"{path}/FIELD", ack=False).getcell("PHASE_DIR", 0)[0]
    freq = table(f"{path}/SPECTRAL_WINDOW", ack=False).getcell("CHAN_FREQ", 0)
    stokes = list(table(f"{path}/POLARIZATION", ack=False).getcell("CORR_TYPE", 0))
    position = table(f"{path}/ANTENNA", ack=False).getcol("POSITION")
    raw = read(paths)
    wanted = expected_centre(raw)
    there = SkyCoord(*centre, unit="rad")
    sidereal = [entry["cat_type"] for entry in raw.phase_center_catalog.values()] == ["sidereal"]
    if not sidereal:
        raw.phase(lon=centre[0], lat=centre[1], phase_frame="icrs", cat_name="target")

    numbers = list(raw.telescope.antenna_numbers)
    first = np.array([numbers.index(number) for number in raw.ant_1_array])
    second = np.array([numbers.index(number) for number in raw.ant_2_array])
    turned = first > second
    sign = np.where(turned, 1, -1)
    channels = np.searchsorted(freq, raw.freq_array - 1)
    codes = [STOKES[int(pol)] for pol in raw.polarization_array]
    direct = [codes.index(code) for code in stokes]
    exchanged = [codes.index(SWAP[code]) for code in stokes]
    oriented = lambda values: np.where(turned[:, None, None], values[:, :, exchanged], values[:, :, direct])
    vis = oriented(np.where(turned[:, None, None], raw.data_array, np.conj(raw.data_array)))
    data = main.getcol("DATA")[:, channels]
    uvw = main.getcol("UVW")
    error_m = np.abs(uvw - sign[:, None] * with_exact_north(raw)).max()
    if not sidereal:
        # The millimetres by which the paths differ are judged as such.
        path_m = uvw[:, 2] - sign * raw.uvw_array[:, 2]
        vis = vis * np.exp(-2j * np.pi / C * path_m[:, None, None] * raw.freq_array[None, :, None])
    flags = main.getcol("FLAG")
    absent = np.setdiff1d(np.arange(len(freq)), channels)
    nsamples = np.where(oriented(raw.flag_array), 0, oriented(raw.nsample_array))
    spectrum = "WEIGHT_SPECTRUM" in main.colnames()
    weights = main.getcol("WEIGHT_SPECTRUM")[:, channels] if spectrum else main.getcol("WEIGHT")[:, None]
    flagged = oriented(raw.flag_array)
    out = {
        "rows": len(uvw) - raw.Nblts,
        "bitEqual": bool(np.array_equal(data, vis.astype("c8"))),
        "largestError": float((np.abs(data - vis) / np.abs(vis)).max()),
        "flagsEqual": bool(np.array_equal(flags[:, channels], flagged)),
        "absent": len(absent),
        "absentFlagged": bool(flags[:, absent].all()),
        "weightError": float(np.abs(np.where(flagged, 0, weights) - nsamples).max()),
        "uvwErrorMm": 1000 * float(error_m),
        "timeErrorS": float(np.abs(main.getcol("TIME") - (raw.time_array - 2400000.5) * 86400).max()),
        "intervalErrorS": float(np.abs(main.getcol("INTERVAL") - raw.integration_time).max()),
        "antennasEqual": bool(
            np.array_equal(main.getcol("ANTENNA1"), np.minimum(first, second))
            and np.array_equal(main.getcol("ANTENNA2"), np.maximum(first, second))
        ),
        "positionErrorM": float(
            np.abs(position - raw.telescope.antenna_positions - raw.telescope._location.xyz()).max()
        ),
        "frequencyErrorHz": float(np.abs(freq[channels] - raw.freq_array).max()),
        "centreErrorArcsec": float(there.separation(wanted).arcsec),
        "telescope": table(f"{path}/OBSERVATION", ack=False).getcell("TELESCOPE_NAME", 0),
        "sidereal": sidereal,
    }
    return out


if sys.argv[1] == "write":
    write_all(sys.argv[2])
else:
    sets = json.load(open(sys.argv[2]))
    print(json.dumps({name: compare(path, files) for name, (path, *files) in sets.items()}))
