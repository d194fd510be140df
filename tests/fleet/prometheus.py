"""Runs node_exporter and Prometheus on the metrics of a file, with examples/fleet/prometheus/rules.yml.

Arguments: an empty directory, the rules, a file of metrics, and the name of an alert. Runs in a network namespace of its
own, on loopback. Prints the labels of the alert once it fires, as JSON.
"""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

directory, rules, metrics, alert = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
PATIENCE = 120
(directory / "textfile").mkdir()
shutil.copy(metrics, directory / "textfile/sockstat.prom")
# An alert with a `for` takes minutes to fire.
(directory / "rules.yml").write_text(re.sub(r"^ +for: .*\n", "", rules.read_text(), flags=re.MULTILINE))
(directory / "prometheus.yml").write_text(
    """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ['127.0.0.1:9100']}]
"""
)


def start(name, *arguments):
    return subprocess.Popen([name, *arguments], stdout=subprocess.DEVNULL, stderr=(directory / f"{name}.log").open("w"))


def asked(path):
    """What Prometheus answers; nothing while it is not ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:9090/api/v1/{path}") as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def firing():
    alerts = (asked("alerts") or {"alerts": []})["alerts"]
    return [one["labels"] for one in alerts if one["labels"]["alertname"] == alert and one["state"] == "firing"]


running = [
    start(
        "prometheus-node-exporter",
        "--web.listen-address=127.0.0.1:9100",
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={directory}/textfile",
    ),
    start(
        "prometheus",
        f"--config.file={directory}/prometheus.yml",
        f"--storage.tsdb.path={directory}/data",
        "--web.listen-address=127.0.0.1:9090",
    ),
]
try:
    end = time.monotonic() + PATIENCE
    while not firing():
        assert time.monotonic() < end, (directory / "prometheus.log").read_text()[-2000:]
        time.sleep(0.1)
    types = {name: entries[0]["type"] for name, entries in asked("metadata").items() if name.startswith("sockstat_")}
    errors = asked("query?query=node_textfile_scrape_error")["result"]
    print(json.dumps({"alerts": firing(), "types": types, "errors": [error["value"][1] for error in errors]}))
finally:
    for program in running:
        program.terminate()
        program.wait()
