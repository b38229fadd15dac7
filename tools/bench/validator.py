"""Measures the validator against its rivals, in a container of the test image.

`cargo xtask bench` starts it with the number of rounds, and with
  /warmwheel         the validator, as builds get it
  /bench             this folder
  /host_ccache       an empty folder of the host, for the cache
  /warmwheel-build   another one, for what the validator records; the figures go there, too
  /tmp/bench         a folder in memory, for logs: a disk that others use, too, has its moods
In each round every command runs once, in another order each time. Before a command what it reads
is put back, since it may remove it. Progress goes to stderr.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import workload

BENCH = Path(__file__).parent
CACHE = Path("/host_ccache")
RECORD = Path("/warmwheel-build")
FIGURES = RECORD / "bench.json"
VALIDATOR = "/warmwheel/ccache-validator"

WORK = Path("/tmp/bench")
SMALL, EMPTY, LARGE = WORK / "small", WORK / "empty", WORK / "large"
# What the commands read, remove and leave.
LIVE = WORK / "live"
STATSLOG, LOG = LIVE / "statslog", LIVE / "log"
MEASURE = "/tmp/measure"

LARGE_BYTES = 200_000_000
IDENTIFIER = "cp312-manylinux_x86_64"

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("CCACHE_")},
    "CCACHE_DIR": str(CACHE),
    "CCACHE_BASEDIR": str(workload.PROJECT),
    "CCACHE_NOHASHDIR": "1",
    "CCACHE_COMPILERCHECK": "content",
    "CCACHE_MAXSIZE": "10G",
    "CIBUILDWHEEL_BUILD_IDENTIFIER": IDENTIFIER,
    "WARMWHEEL_RUN_ID": "bench",
}


class Command(NamedTuple):
    """A command with what it finds: a log, a statslog, a folder for its record."""

    scene: str
    name: str
    argv: list
    log: Path | None
    has_statslog: bool = False
    has_record: bool = False

    def environment(self):
        variables = dict(ENVIRONMENT)
        if self.log:
            variables["CCACHE_LOGFILE"] = str(LOG)
        if self.has_statslog:
            variables["CCACHE_STATSLOG"] = str(STATSLOG)
        if self.has_record:
            variables["WARMWHEEL_RECORD_DIR"] = str(RECORD)
        return variables


def commands():
    validate = [VALIDATOR, "validate"]
    python = [sys.executable, str(BENCH / "validate.py")]
    lines = [sys.executable, str(BENCH / "lines.py")]
    yield Command("start", "floor", ["/bin/true"], None)
    for scene, log in (("start", None), ("empty-log", EMPTY), ("large-log", LARGE)):
        yield Command(scene, "build", validate, log, has_statslog=True, has_record=True)
        yield Command(scene, "statslog", validate, log, has_statslog=True)
        if log:
            yield Command(scene, "counters", validate, log)
            yield Command(scene, "python", python, log)
    yield Command("large-log", "python-plain", [*python, "--plainly"], LARGE)
    yield Command("large-log", "python-lines", lines, LARGE)


class State:
    """What the commands read, and remove or change."""

    def __init__(self):
        self.statslog = STATSLOG.read_bytes()
        self.counters = {path: path.read_bytes() for path in self.counter_files()}

    @staticmethod
    def counter_files():
        return CACHE.glob("[0-9a-f]/**/stats")

    def restore(self, command):
        for path in self.counter_files():
            if path not in self.counters:
                path.unlink()
        for path, content in self.counters.items():
            if path.read_bytes() != content:
                path.write_bytes(content)
        for path in RECORD.iterdir():
            if path.name != "preflight.json":
                path.unlink()
        shutil.rmtree(LIVE)
        LIVE.mkdir()
        STATSLOG.write_bytes(self.statslog)
        if command.log:
            # A link, not a copy: there is nothing to write.
            os.link(command.log, LOG)


def prepare():
    """Makes all that is read; returns facts about it."""
    say("compiling what the logs tell of")
    subprocess.run(
        ["gcc", "-std=gnu17", "-Wall", "-Wextra", "-O2", "-o", MEASURE, BENCH / "measure.c"],
        check=True,
    )
    LIVE.mkdir()
    run([VALIDATOR, "preflight"], {**ENVIRONMENT, "WARMWHEEL_RECORD_DIR": str(RECORD)})
    calls = workload.write_sources()
    workload.compile_for_log(calls, ENVIRONMENT, SMALL)
    compilations = workload.compile_for_counters(calls, ENVIRONMENT, STATSLOG)
    EMPTY.touch()
    size = workload.enlarge(SMALL, LARGE, LARGE_BYTES)
    # Nothing is to be written back while the clock runs.
    os.sync()
    return {"compilations": compilations, "log_bytes": size}


def run(argv, environment):
    """Runs a command outside the measurements and returns what it says."""
    done = subprocess.run(argv, env=environment, capture_output=True, check=False)
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stderr or done.stdout)
        sys.exit(f"{argv} ended with {done.returncode}")
    return done.stdout + done.stderr


def rehearse(command, state):
    """Runs a command once, for it to be in memory; returns how many calls of the log it shows."""
    state.restore(command)
    said = run(command.argv, command.environment())
    if command.log and command.name != "python-lines" and LOG.exists():
        sys.exit(f"{command.argv} has left the log in its place")
    return sum(
        line.startswith(b"ccache log: ") and b" (process " in line for line in said.splitlines()
    )


def measure(command, state):
    state.restore(command)
    done = subprocess.run(
        [MEASURE, *command.argv], env=command.environment(), stdout=subprocess.PIPE, check=True
    )
    figures = json.loads(done.stdout)
    if figures.pop("status") != 0:
        sys.exit(f"{command.argv} ended with an error")
    return figures


def main(rounds):
    load = os.getloadavg()[0]
    facts = prepare()
    state = State()
    everything = list(commands())
    rows = []
    for command in everything:
        shown = rehearse(command, state)
        rows.append({"scene": command.scene, "command": command.name, "shown": shown, "runs": []})
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for index in random.Random(number).sample(range(len(everything)), len(everything)):
            rows[index]["runs"].append(measure(everything[index], state))
    facts |= {
        "ccache": run(["ccache", "--version"], ENVIRONMENT).split()[2].decode(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "processors": os.cpu_count(),
        "load_before": load,
    }
    FIGURES.write_text(json.dumps({"facts": facts, "rows": rows}))


def empty_cache():
    """The host's user may not be allowed to remove what the container's has made."""
    for path in CACHE.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def say(words):
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("stopped")
    finally:
        empty_cache()
