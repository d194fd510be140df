#!/usr/bin/env python3
"""Prints the licences of all crates that the program is made of, with their texts, for the packages."""

import json
import re
import subprocess
from pathlib import Path

METADATA = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"]
metadata = json.loads(subprocess.run(METADATA, capture_output=True, check=True).stdout)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}


def needed(root):
    """The crates that end up in the program, or run while it is compiled; not those of tests."""
    found, waiting = set(), [root]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            kinds = ((dep["pkg"], {kind["kind"] for kind in dep["dep_kinds"]}) for dep in nodes[one]["deps"])
            waiting += [package for package, kinds in kinds if kinds != {"dev"}]
    return found - {root}


texts, without = {}, []
for package in sorted((packages[one] for one in needed(metadata["resolve"]["root"])), key=lambda one: one["name"]):
    name = f"{package['name']} {package['version']} ({package['license']})"
    files = [
        file
        for file in sorted(Path(package["manifest_path"]).parent.iterdir())
        if file.is_file() and re.match(r"(?i)(un)?licen[cs]e|copying|notice|copyright", file.name)
    ]
    if not files:
        without.append(name)
    for file in files:
        texts.setdefault(file.read_text(errors="replace").strip(), []).append(name)

print("sockstat contains the following crates.\n")
if without:
    print("Without a text of their own, under the terms of their licence:\n")
    print("".join(f"  {name}\n" for name in without))
for text, names in texts.items():
    print("=" * 78 + "\n" + "".join(f"{name}\n" for name in dict.fromkeys(names)) + "\n" + text + "\n")
