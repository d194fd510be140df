"""Asks DuckDB the questions of examples/fleet/duckdb.sql.

Arguments: a directory that has `snapshots`, and the SQL file. Prints the answers as one JSON object.
"""

import json
import re
import subprocess
import sys

directory, sql = sys.argv[1], open(sys.argv[2]).read()
parts = re.split(r"^-- (Q\d+): .*$", sql, flags=re.MULTILINE)
names, questions = parts[1::2], parts[2::2]
script = parts[0] + "".join(f"\n.print {name}\n{text}" for name, text in zip(names, questions))
ran = subprocess.run(["duckdb", "-jsonlines"], input=script, cwd=directory, capture_output=True, text=True, check=False)
assert ran.returncode == 0 and not ran.stderr, ran.stderr + ran.stdout[-2000:]
answers, current = {name: [] for name in names}, None
for line in ran.stdout.splitlines():
    if line in answers:
        current = answers[line]
    elif line.startswith("{"):
        current.append(list(json.loads(line).values()))
print(json.dumps(answers))
