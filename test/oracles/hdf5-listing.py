"""Lists every object of HDF5 files as h5py sees it: one JSON document, a list a file.

usage: hdf5-listing.py FILE...
"""

import json
import sys

import h5py


def type_of(dataset):
    type_id = dataset.id.get_type()
    names = {h5py.h5t.INTEGER: "integer", h5py.h5t.FLOAT: "float", h5py.h5t.STRING: "string"}
    kind = type_id.get_class()
    if kind == h5py.h5t.COMPOUND:
        members = [
            [type_id.get_member_name(i).decode(), type_id.get_member_offset(i), str(type_id.get_member_type(i).dtype)]
            for i in range(type_id.get_nmembers())
        ]
        return ["compound", type_id.get_size(), members]
    if kind == h5py.h5t.ENUM:
        members = [
            [type_id.get_member_name(i).decode(), type_id.get_member_value(i)] for i in range(type_id.get_nmembers())
        ]
        return ["enum", str(type_id.get_super().dtype), members]
    if kind == h5py.h5t.STRING:
        variable = type_id.is_variable_str()
        return ["string", variable, None if variable else type_id.get_size(), type_id.get_strpad(), type_id.get_cset()]
    return [names[kind], type_id.get_size(), type_id.get_order(), str(type_id.dtype)]


def entry(name, item):
    out = {"name": name, "attributes": sorted(item.attrs)}
    if isinstance(item, h5py.Group):
        return {**out, "kind": "group"}
    created = item.id.get_create_plist()
    # h5py crashes when asked for the fill value of a variable-length string.
    fill = None if h5py.check_string_dtype(item.dtype) and item.dtype.kind == "O" else repr(item.fillvalue)
    return {
        **out,
        "kind": "dataset",
        "type": type_of(item),
        "dtype": str(item.dtype),
        "shape": item.shape,
        "maxshape": item.maxshape,
        "chunks": item.chunks,
        "space": item.id.get_space().get_simple_extent_type(),
        "layout": created.get_layout(),
        "allocation": created.get_alloc_time(),
        "fill": [created.fill_value_defined(), created.get_fill_time(), fill],
        "filters": created.get_nfilters(),
        "chunksStored": item.id.get_num_chunks() if item.chunks else None,
        "storage": item.id.get_storage_size(),
    }


def listing(path):
    items = []
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: items.append(entry(name, item)))
        strings = {
            name: file[name][()].decode() if file[name].shape == () else [value.decode() for value in file[name][:]]
            for name in (i["name"] for i in items if i["kind"] == "dataset" and i["type"][0] == "string")
        }
        superblock = open(path, "rb").read(9)[8]
    return {"superblock": superblock, "items": items, "strings": strings}


print(json.dumps([listing(path) for path in sys.argv[1:]]))
