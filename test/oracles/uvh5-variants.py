"""Copies a UVH5 file in other layouts that readers must accept, and prints their names.

usage: uvh5-variants.py SOURCE DIRECTORY
"""

import json
import os
import sys

import h5py
import numpy

source, directory = sys.argv[1:3]
with h5py.File(source, "r") as file:
    contents = {}
    file.visititems(lambda name, item: contents.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)

DATA = ("Data/visdata", "Data/flags", "Data/nsamples")
variants = {}


def variant(function):
    variants[function.__name__.replace("_", "-")] = function
    return function


def write(path, values, libver=None, create=None, **file_options):
    with h5py.File(path, "w", libver=libver, **file_options) as file:
        for name, value in values.items():
            options = create(name, value) if create else {}
            file.create_dataset(name, data=value, **options)


@variant
def contiguous(path):
    write(path, contents)


@variant
def latest(path):
    write(path, contents, libver="latest", create=lambda name, value: {"chunks": True, "maxshape": (None, *value.shape[1:])} if name in DATA else {})


@variant
def gzip_shuffle_fletcher(path):
    options = {"compression": "gzip", "shuffle": True, "fletcher32": True}
    write(path, contents, create=lambda name, _: options if name in DATA else {})


@variant
def rank_3(path):
    write(path, {name: value[:, 0] if name in DATA else value for name, value in contents.items()})


@variant
def complex128(path):
    write(path, {**contents, "Data/visdata": contents["Data/visdata"].astype("c16"), "Header/integration_time": contents["Header/integration_time"][0]})


@variant
def complex_int32(path):
    kind = numpy.dtype([("r", "<i4"), ("i", "<i4")])
    vis = numpy.zeros(contents["Data/visdata"].shape, kind)
    vis["r"] = numpy.round(contents["Data/visdata"].real)
    vis["i"] = numpy.round(contents["Data/visdata"].imag)
    write(path, {**contents, "Data/visdata": vis})


@variant
def uint8_flags_and_int32(path):
    narrow = {name: contents[name].astype("i4") for name in ("Header/ant_1_array", "Header/ant_2_array", "Header/Nblts")}
    width = numpy.full(contents["Header/freq_array"].shape[1], -contents["Header/channel_width"])
    write(path, {**contents, **narrow, "Data/flags": contents["Data/flags"].astype("u1"), "Header/channel_width": width, "Header/freq_array": contents["Header/freq_array"][0]})


@variant
def variable_strings(path):
    text = h5py.string_dtype()
    write(path, contents, create=lambda name, value: {"dtype": text} if isinstance(value, bytes) else {})


@variant
def user_block(path):
    write(path, contents, userblock_size=512)


@variant
def chunked_by_bad_shapes(path):
    shapes = {"Data/visdata": (7, 1, 5, 2), "Data/flags": (1000, 1, 1, 1), "Data/nsamples": (13, 1, 48, 1)}
    shape = lambda name: tuple(min(a, b) for a, b in zip(shapes[name], contents[name].shape))
    write(path, contents, create=lambda name, _: {"chunks": shape(name)} if name in DATA else {})


@variant
def lzf(path):
    write(path, contents, create=lambda name, _: {"compression": "lzf"} if name == "Data/visdata" else {})


@variant
def scale_offset(path):
    write(path, contents, create=lambda name, _: {"scaleoffset": 2} if name == "Data/nsamples" else {})


for name, function in variants.items():
    function(os.path.join(directory, f"{name}.hdf5"))
print(json.dumps(list(variants)))
