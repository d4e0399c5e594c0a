"""Makes the fixtures of test/stages/runtime/sky from ERFA, astropy and scipy. Run by hand; tests read only the JSON.

    python3 -m venv venv && venv/bin/pip install pyerfa astropy astropy-iers-data scipy
    venv/bin/python test/oracles/sky-fixtures.py

Angles are in radians, times MJD UTC, lengths metres unless a name says otherwise.
"""

import json
import pathlib
from importlib.metadata import version

import erfa
import numpy as np
from astropy.utils import iers
from astropy.wcs import WCS
from scipy.special import j1

TARGET = pathlib.Path(__file__).resolve().parent.parent / "fixtures/sky"
RNG = np.random.default_rng(20260125)
MJD0 = erfa.DJM0
FIRST, LAST = 58849.0, 64693.0  # 2020-01-01, 2036-01-01
LATITUDE, LONGITUDE, ALTITUDE = np.radians(37.2334051), np.radians(-118.283), 1188.0519
NORTH = 60 * erfa.DAS2R


def write(name, about, packages, **content):
    provenance = {"made by": "test/oracles/sky-fixtures.py", "about": about, "versions": {p: version(p) for p in packages}}
    rows = ",\n".join(f" {json.dumps(key)}: {listing(value)}" for key, value in content.items())
    (TARGET / name).write_text(f'{{"provenance": {json.dumps(provenance)},\n{rows}}}\n')


def listing(value):
    if isinstance(value, list):
        return "[\n  " + ",\n  ".join(json.dumps(row) for row in value) + "\n ]"
    return json.dumps(value)


def directions(n):
    """Uniform over the sky from declination -30 to +90, with the awkward places first."""
    ra = RNG.uniform(0, 2 * np.pi, n)
    dec = np.arcsin(RNG.uniform(-0.5, 1, n))
    special = [(0, 0), (2 * np.pi - 1e-7, 20), (1e-7, 20), (1, 89.99), (4, 89), (2, -30), (np.pi, 16.15), (3.7, 0)]
    for i, (special_ra, special_dec) in enumerate(special):
        ra[i], dec[i] = special_ra, np.radians(special_dec)
    return ra, dec


def orientation(n):
    return RNG.uniform(-0.9, 0.9, n), RNG.uniform(-0.6, 0.6, n), RNG.uniform(-0.6, 0.6, n)


def star_context(mjd, dut1, xp, yp):
    """ERFA's star-independent parameters and the equation of the origins."""
    context, eo = erfa.apco13(
        MJD0, mjd, dut1, LONGITUDE, LATITUDE, ALTITUDE, xp * erfa.DAS2R, yp * erfa.DAS2R, 0, 0, 0, 1
    )
    return context, eo


def apparent(ra, dec, mjd, dut1, xp, yp):
    context, eo = star_context(mjd, dut1, xp, yp)
    cirs_ra, app_dec = erfa.atciqz(ra, dec, context)
    return erfa.anp(cirs_ra - eo), app_dec


def sidereal(mjd, dut1):
    ut1 = mjd + dut1 / 86400
    tt = erfa.taitt(*erfa.utctai(MJD0, mjd))
    return {
        "era": erfa.era00(MJD0, ut1),
        "gmst": erfa.gmst06(MJD0, ut1, *tt),
        "gast": erfa.gst06a(MJD0, ut1, *tt),
        "ttMinusUtcS": (tt[0] - MJD0 + tt[1] - mjd) * 86400,
    }


def itrf(ra, dec, mjd, dut1, xp, yp):
    """Unit vector in ITRF axes of the apparent place of an ICRS direction."""
    app_ra, app_dec = apparent(ra, dec, mjd, dut1, xp, yp)
    fixed = erfa.s2c(app_ra - sidereal(mjd, dut1)["gast"], app_dec)
    return erfa.pom00(xp * erfa.DAS2R, yp * erfa.DAS2R, 0) @ fixed


def apparent_places(n=400):
    ra, dec = directions(n)
    mjd = RNG.uniform(FIRST, LAST, n)
    dut1, xp, yp = orientation(n)
    rows = []
    for i in range(n):
        tt = erfa.taitt(*erfa.utctai(MJD0, mjd[i]))
        to_sun = -erfa.epv00(*tt)[0]["p"]
        place = apparent(ra[i], dec[i], mjd[i], dut1[i], xp[i], yp[i])
        rows.append({
            "mjd": mjd[i], "dut1S": dut1[i], "xpArcsec": xp[i], "ypArcsec": yp[i], "ra": ra[i], "dec": dec[i],
            "apparent": place, "sunDeg": round(float(np.degrees(erfa.sepp(erfa.s2c(ra[i], dec[i]), to_sun))), 2),
        })
    write("apparent-places.json", "apparent place (true equator and equinox of date) seen from the DSA-110, IAU 2006/2000A, "
          "2020-2035, with light bending by the Sun", ["pyerfa", "numpy"], places=rows)


def times(n=200):
    mjd = RNG.uniform(FIRST, LAST, n)
    mjd[:6] = [51544.5, 55000.0, 57752.9999, 57754.0, 59215.0, 59000.5]
    dut1 = RNG.uniform(-0.9, 0.9, n)
    rows = [{"mjd": mjd[i], "dut1S": dut1[i], **sidereal(mjd[i], dut1[i])} for i in range(n)]
    table = iers.IERS_A.open(iers.IERS_A_FILE)
    sampled = RNG.uniform(58849, 61700, 100)
    eop = []
    for t in sampled:
        x, y = table.pm_xy(MJD0, t)
        eop.append({"mjd": t, "dut1S": float(table.ut1_utc(MJD0, t).value), "xpArcsec": float(x.value), "ypArcsec": float(y.value)})
    write("times.json", "sidereal times by IAU 2006/2000A; Earth orientation interpolated by astropy in finals2000A.all",
          ["pyerfa", "numpy", "astropy", "astropy-iers-data"], times=rows, orientation=eop)


def rotations(n=100):
    mjd = RNG.uniform(FIRST, LAST, n)
    dut1, xp, yp = orientation(n)
    dec_of_date = np.radians(RNG.uniform(-25, 85, n))
    rows = []
    for i in range(n):
        context, eo = star_context(mjd[i], dut1[i], xp[i], yp[i])
        fixed = erfa.pom00(xp[i] * erfa.DAS2R, yp[i] * erfa.DAS2R, 0).T @ erfa.s2c(LONGITUDE, dec_of_date[i])
        longitude, latitude = erfa.c2s(fixed)
        centre = erfa.aticq(longitude + sidereal(mjd[i], dut1[i])["gast"] + eo, latitude, context)
        # A target up to a degree from the meridian, as the sky drifts through an observation.
        ra = erfa.anp(centre[0] + np.radians(RNG.uniform(-1, 1)))
        dec = centre[1] + np.radians(RNG.uniform(-0.5, 0.5))
        when = (mjd[i], dut1[i], xp[i], yp[i])
        s1 = itrf(ra, dec, *when)
        north = itrf(ra, dec + NORTH, *when)
        v = north - s1 * (north @ s1)
        rows.append({
            "mjd": mjd[i], "dut1S": dut1[i], "xpArcsec": xp[i], "ypArcsec": yp[i], "decOfDate": dec_of_date[i],
            "centre": [float(centre[0]), float(centre[1])], "target": [float(ra), float(dec)],
            "s1": s1.tolist(), "v": (v / np.linalg.norm(v)).tolist(),
        })
    write("rotations.json", "ICRS place of the meridian point of an Earth-fixed declination; ITRF vectors of a target and of "
          "its J2000 north", ["pyerfa", "numpy"], rotations=rows)


def pixels(n=60):
    rows = []
    for ra, dec in [(0.01, 16.2), (107.0107, 16.1919), (202.78, 30.51), (359.99, 71.0), (80.0, 89.5), (10, -20)]:
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
        wcs.wcs.crval = [ra, dec]
        wcs.wcs.crpix = [2049, 1025]
        cell = 7 / 3600
        wcs.wcs.cdelt = [-cell, cell]
        x, y = RNG.uniform(0, 4096, n // 6), RNG.uniform(0, 2048, n // 6)
        sky = wcs.all_pix2world(x, y, 0)
        rows += [{"centre": [ra, dec], "x": x[i], "y": y[i], "raDeg": sky[0][i], "decDeg": sky[1][i]} for i in range(n // 6)]
    write("pixels.json", "SIN projection, 4096 x 2048 pixels of 7 arcsec, reference pixel (0-based) 2048, 1024; 0-based pixels",
          ["astropy", "numpy"], cellArcsec=7, referenceX=2048, referenceY=1024, pixels=rows)


def bessel():
    x = np.concatenate([[1e-9, 1e-3, 0.5, 3.8317059702075125, 11.999, 12.001], np.linspace(0.7, 74, 120)])
    write("bessel.json", "J1(x) / x", ["scipy", "numpy"], values=[[float(a), float(j1(a) / a)] for a in x])


TARGET.mkdir(parents=True, exist_ok=True)
apparent_places()
times()
rotations()
pixels()
bessel()
