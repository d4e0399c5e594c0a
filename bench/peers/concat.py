"""Joins the sets of a folder into one by CASA's task `concat`. Never in one process with python-casacore.

usage: concat.py ARGUMENTS.json     with {"raw": [sets], "output": path}
"""

import os
import tempfile

import peer

with peer.step("import"), tempfile.TemporaryDirectory() as folder:
    import casadata

    config = os.path.join(folder, "config.py")
    with open(config, "w") as file:
        file.write("measures_auto_update = False\ndata_auto_update = False\nnologger = True\nnogui = True\n")
        file.write(f"measurespath = {casadata.datapath!r}\ndatapath = [{casadata.datapath!r}]\n")
    os.environ["CASASITECONFIG"] = config
    from casatasks import concat

arguments = peer.arguments()
with peer.step("concat"):
    concat(vis=arguments["raw"], concatvis=arguments["output"])
peer.end()
