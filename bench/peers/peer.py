"""What the peers share: their arguments, their clock, and the JSON line that they end with."""

import json
import resource
import sys
import time

began = time.monotonic()
steps = {}


def arguments():
    """A JSON file: {"raw": [paths], "output": path, "raDeg", "decDeg", "dut1S", "xpArcsec", "ypArcsec"}."""
    with open(sys.argv[1]) as file:
        return json.load(file)


class step:
    """Times a block under a name; blocks of one name add up."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.start = time.monotonic()

    def __exit__(self, *_):
        steps[self.name] = steps.get(self.name, 0) + time.monotonic() - self.start


def end(**more):
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "steps": {name: round(seconds, 2) for name, seconds in steps.items()},
                "cpuSeconds": round(usage.ru_utime + usage.ru_stime, 2),
                "peakMemoryBytes": usage.ru_maxrss * 1024,
                **more,
            }
        )
    )
