"""Compares random cells of a peer's set with ours; rows by time and antennas, channels by frequency.

usage: compare.py OURS PEER
"""

import json
import sys

import numpy as np
from casacore.tables import table

CELLS = 400
ours, peer = (table(path, ack=False) for path in sys.argv[1:3])


def windows(path):
    return [row["CHAN_FREQ"] for row in table(f"{path}/SPECTRAL_WINDOW", ack=False)]


[freq] = windows(sys.argv[1])
peer_windows = windows(sys.argv[2])
channel_of = {round(value / 1e3): (window, channel) for window, values in enumerate(peer_windows) for channel, value in enumerate(values)}
data_description = table(f"{sys.argv[2]}/DATA_DESCRIPTION", ack=False).getcol("SPECTRAL_WINDOW_ID")



window = np.asarray(data_description)[peer.getcol("DATA_DESC_ID")]
first, second = peer.getcol("ANTENNA1"), peer.getcol("ANTENNA2")
time = np.round(peer.getcol("TIME"), 1)
row_of = {key: row for row, key in enumerate(zip(window, time, np.minimum(first, second), np.maximum(first, second)))}

random = np.random.default_rng(1)
worst_amplitude = worst_phase = worst_uvw = 0.0
for row, channel in zip(random.integers(0, ours.nrows(), CELLS), random.integers(0, len(freq), CELLS)):
    row, channel = int(row), int(channel)
    key_time, ant1, ant2 = round(ours.getcell("TIME", row), 1), ours.getcell("ANTENNA1", row), ours.getcell("ANTENNA2", row)
    peer_window, peer_channel = channel_of[round(freq[channel] / 1e3)]
    there = row_of[peer_window, key_time, ant1, ant2]
    mine = ours.getcell("DATA", row)[channel]
    theirs = peer.getcell("DATA", there)[peer_channel]
    uvw, peer_uvw = ours.getcell("UVW", row), peer.getcell("UVW", there)
    # Conjugating a visibility and turning its baseline round leaves it the same.
    if np.dot(uvw, peer_uvw) < 0:
        theirs, peer_uvw = np.conj(theirs), -peer_uvw
    worst_uvw = max(worst_uvw, float(np.abs(uvw - peer_uvw).max()))
    worst_amplitude = max(worst_amplitude, float((np.abs(np.abs(theirs) - np.abs(mine)) / np.abs(mine)).max()))
    if ant1 != ant2:
        worst_phase = max(worst_phase, float(np.abs(np.angle(theirs / mine)).max()))
print(json.dumps({"cells": CELLS, "uvwErrorMm": 1000 * worst_uvw, "amplitudeError": worst_amplitude, "phaseErrorRad": worst_phase}))
