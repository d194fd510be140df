"""Loads batches of snapshots into ClickHouse and asks it the questions of examples/fleet/clickhouse.

Arguments: the directory of simulate.py, and that of the SQL files. Prints the answers as one JSON object. The engine is the
real one, in this process (chdb); it has no HTTP server.
"""

import json
import re
import sys
from pathlib import Path

from chdb import session

directory, sql = Path(sys.argv[1]), Path(sys.argv[2])
engine = session.Session(str(directory / "clickhouse"))


def statements(text):
    """The statements of a file, without comments."""
    text = re.sub(r"^\s*--.*$|\s--\s.*$", "", text, flags=re.MULTILINE)
    return [statement for statement in map(str.strip, text.split(";")) if statement]


for statement in statements((sql / "schema.sql").read_text()):
    engine.query(statement)
INSERT = """INSERT INTO sockstat.landing SETTINGS input_format_skip_unknown_fields = 1, input_format_defaults_for_omitted_fields = 0,
    date_time_input_format = 'best_effort' FORMAT JSONEachRow\n"""
for batch in sorted((directory / "batches").iterdir()):
    engine.query(INSERT + batch.read_text())

answers = {}
questions = re.split(r"^-- (Q\d+): .*$", (sql / "questions.sql").read_text(), flags=re.MULTILINE)[1:]
for name, text in zip(questions[::2], questions[1::2]):
    [statement] = statements(text)
    found = engine.query(statement + " SETTINGS output_format_json_quote_64bit_integers = 0", "JSONCompactEachRow")
    answers[name] = [json.loads(line) for line in str(found).splitlines() if line]
print(json.dumps(answers))
engine.close()
