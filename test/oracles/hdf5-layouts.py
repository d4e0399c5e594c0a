"""Writes one HDF5 file of random layouts for each seed and prints what h5py reads from it.

usage: hdf5-layouts.py DIRECTORY FIRST_SEED COUNT
"""

import hashlib
import json
import os
import random
import sys

import h5py
import numpy

directory, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
COMPLEX = numpy.dtype([("r", "<f4"), ("i", "<f4")])
TYPES = ["<f4", "<f8", "<i4", "<i8", "|u1", "|i1", "<u2", COMPLEX, "bool", "|S7"]


def content(rng, shape, kind):
    count = int(numpy.prod(shape, dtype=int))
    if kind == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if kind == "|S7":
        return numpy.array([b"x" * int(n) for n in rng.integers(0, 8, count)], "S7").reshape(shape)
    kind = numpy.dtype(kind)
    # Few values, so that filters have something to find, and all bits of random ones now and then.
    raw = rng.integers(0, 256 if rng.integers(2) else 3, count * kind.itemsize, dtype="u1")
    return numpy.frombuffer(raw.tobytes(), kind).reshape(shape)


def options(draw, shape, kind, plain):
    if not shape or draw.random() < 0.2:
        return {}
    grow = draw.choice(["none", "first", "all"])
    maxshape = {"none": shape, "first": (None, *shape[1:]), "all": (None,) * len(shape)}[grow]
    made = {"maxshape": maxshape, "chunks": tuple(draw.randint(1, max(1, n + draw.randint(0, 2))) if m is None else draw.randint(1, max(1, n)) for n, m in zip(shape, maxshape))}
    if plain:
        return made
    made["compression"] = draw.choice([None, None, None, "gzip", "lzf"])
    made["shuffle"] = draw.random() < 0.3
    made["fletcher32"] = draw.random() < 0.3 and kind != "bool"
    if kind not in ("bool", "|S7") and kind is not COMPLEX and draw.random() < 0.3:
        made["fillvalue"] = 7
    return made


def write(path, seed):
    draw, rng = random.Random(seed), numpy.random.default_rng(seed)
    # Half of the files have the layouts that are read directly.
    plain = draw.random() < 0.5
    libver = None if plain else draw.choice([None, "latest", ("earliest", "v108"), ("v108", "v110"), ("v110", "latest")])
    with h5py.File(path, "w", libver=libver, userblock_size=0 if plain else draw.choice([0, 0, 0, 512, 2048]), track_order=not plain and draw.random() < 0.3) as file:
        for index in range(draw.randint(1, 6)):
            rank = draw.randint(0, 4)
            shape = tuple(draw.randint(1, 12) for _ in range(rank))
            kind = draw.choice(TYPES)
            made = options(draw, shape, kind, plain)
            name = f"{draw.choice(['Data', 'Header', 'Header/extra_keywords'])}/d{index}"
            values = content(rng, shape, kind)
            if not made:
                if draw.random() < 0.3:
                    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                    compact.set_layout(h5py.h5d.COMPACT)
                    file.require_group(os.path.dirname(name))
                    space = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
                    made_id = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(values.dtype, logical=True), space, compact)
                    h5py.Dataset(made_id)[...] = values
                else:
                    file.create_dataset(name, data=values, track_times=draw.random() < 0.5)
                continue
            dataset = file.create_dataset(name, shape=shape, dtype=values.dtype, track_times=draw.random() < 0.5, **made)
            # A part is left unwritten, so that chunks are missing.
            part = tuple(slice(0, draw.randint(0, n)) if draw.random() < 0.4 else slice(None) for n in shape)
            dataset[part] = values[part]
            if made["maxshape"][0] is None and draw.random() < 0.5:
                dataset.resize(tuple(draw.randint(1, 14) if m is None else n for n, m in zip(shape, made["maxshape"])))
        if draw.random() < 0.5:
            file.create_dataset("Header/text", data=["one", "", "Señor"][draw.randint(0, 2)], dtype=h5py.string_dtype())
            file.create_dataset("Header/texts", data=["a", "", "bcd"], dtype=h5py.string_dtype())
    with h5py.File(path, "r") as file:
        found = {}

        def look(name, item):
            if isinstance(item, h5py.Dataset):
                value = item[()]
                if h5py.check_string_dtype(item.dtype) and h5py.check_string_dtype(item.dtype).length is None:
                    flat = [value] if item.shape == () else list(value)
                    found["/" + name] = {"shape": item.shape, "texts": [text.decode() for text in flat]}
                else:
                    found["/" + name] = {"shape": item.shape, "sha256": hashlib.sha256(numpy.ascontiguousarray(value).tobytes() if item.dtype.kind != "S" else numpy.array(value, item.dtype).tobytes()).hexdigest()}

        file.visititems(look)
    return found


result = []
for seed in range(first, first + count):
    path = os.path.join(directory, f"layout-{seed}.h5")
    result.append({"path": path, "datasets": write(path, seed)})
print(json.dumps(result))
