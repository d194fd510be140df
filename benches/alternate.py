#!/usr/bin/env python3
"""Runs programs in turn with the same options, and prints the median of their processor time and of the clock.

    benches/alternate.py RUNS "OPTIONS" PROGRAM...
"""

import os
import resource
import statistics
import subprocess
import sys
import time


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(arguments):
    """Milliseconds of the processor (user and system), and by the clock."""
    before, began = processor_seconds(), time.monotonic()
    subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    used, ended = processor_seconds() - before, time.monotonic()
    return 1000 * used, 1000 * (ended - began)


runs, options, programs = int(sys.argv[1]), sys.argv[2].split(), sys.argv[3:]
times = {program: [] for program in programs}
for _ in range(runs):
    for program in programs:
        times[program].append(timed([program, *options]))
print(f"{runs} runs of {' '.join(options)}, load average {os.getloadavg()[0]:.1f}")
for program, found in times.items():
    processor, clock = (statistics.median(column) for column in zip(*found))
    print(f"{processor:8.2f} ms of the processor {clock:8.2f} ms by the clock  {program}")
