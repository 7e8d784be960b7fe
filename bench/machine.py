"""Describe the machine that the numbers belong to."""

import os
import platform
from pathlib import Path


def describe():
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": memory(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def processor():
    """The name, with family and model, since virtual machines are told no more than `AMD EPYC`."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    first = dict(line.split("\t", 1) for line in lines[: lines.index("")] if "\t" in line)
    known = {key.strip(): value.strip(" \t:") for key, value in first.items()}
    parts = [known.get("model name", platform.machine())]
    parts += [f"{key} {known[key]}" for key in ("cpu family", "model") if key in known]
    wide = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if name in known.get("flags", "").split()]
    return ", ".join(parts + wide)


def memory():
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError):
        return None
