"""Measures what the launcher in front of ccache costs, in a container of the test image.

`cargo xtask bench` starts it with the number of rounds, and with
  /warmwheel         ccache-launcher and the validator, as builds get them
  /bench             this folder
  /project           the sources of the demo's core
  /warmwheel-build   an empty folder of the host, for records; the figures go there, too
  /tmp/bench         a folder in memory, for caches and objects
Progress goes to stderr.

Hits: each file is compiled in each way, in another order each time, before the next file is. A
round's figure is the median over its files; the difference is taken file by file.

Cold: all files are compiled in one way, one after the other, into an empty cache. That takes
minutes, so there is one such round to fifteen others. The figure is the CPU time of all that ran.
"""

import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent
PROJECT = Path("/project")
RECORD = Path("/warmwheel-build")
FIGURES = RECORD / "bench.json"
RECORDS = RECORD / "compilations.ndjson"
LAUNCHER = "/warmwheel/ccache-launcher"
VALIDATOR = "/warmwheel/ccache-validator"

WORK = Path("/tmp/bench")
CACHE, OBJECTS, LINKS = WORK / "cache", WORK / "objects", WORK / "links"
STATSLOG = WORK / "statslog"
MEASURE = "/tmp/measure"

OPTIONS = ["-std=c++17", "-O3", "-DNDEBUG", "-fPIC", "-I/project/include"]
ROUNDS_TO_A_COLD_ONE = 15

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("CCACHE_")},
    "CCACHE_DIR": str(CACHE),
    "CCACHE_BASEDIR": str(PROJECT),
    "CCACHE_NOHASHDIR": "1",
    "CCACHE_COMPILERCHECK": "content",
    "CCACHE_TEMPDIR": "/tmp/ccache-tmp",
    "CCACHE_STATSLOG": str(STATSLOG),
    "CIBUILDWHEEL_BUILD_IDENTIFIER": "cp312-manylinux_x86_64",
    "WARMWHEEL_RECORD_DIR": str(RECORD),
}
COMPILER = shutil.which("g++")
CCACHE = shutil.which("ccache")

# What stands in front of a compilation's arguments.
PLAIN = {"plain": [COMPILER]}
WAYS = {
    "ccache": [CCACHE, COMPILER],
    "launcher": [LAUNCHER, COMPILER],
    "link": [str(LINKS / "g++")],
}


def arguments(source):
    """A compilation as CMake calls for it."""
    compiled = OBJECTS / f"{source.name}.o"
    dependencies = ["-MD", "-MT", str(compiled), "-MF", f"{compiled}.d"]
    return [*OPTIONS, *dependencies, "-o", str(compiled), "-c", str(source)]


def prepare():
    say("preparing")
    subprocess.run(
        ["gcc", "-std=gnu17", "-Wall", "-Wextra", "-O2", "-o", MEASURE, BENCH / "measure.c"],
        check=True,
    )
    OBJECTS.mkdir()
    preflight = [VALIDATOR, "preflight", "--links", LINKS, "--launcher", LAUNCHER]
    subprocess.run(preflight, env=ENVIRONMENT, check=True)
    ENVIRONMENT["PATH"] = f"{LINKS}:{ENVIRONMENT['PATH']}"
    return sorted(PROJECT.glob("src/*.cpp"))


def empty_cache():
    shutil.rmtree(CACHE, ignore_errors=True)
    STATSLOG.unlink(missing_ok=True)
    RECORDS.unlink(missing_ok=True)


def measure_cold(front, sources):
    """CPU seconds of compiling everything into an empty cache."""
    empty_cache()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for source in sources:
        subprocess.run([*front, *arguments(source)], env=ENVIRONMENT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_hit(front, source):
    """Nanoseconds of one compilation."""
    command = [MEASURE, *front, *arguments(source)]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
    figures = json.loads(done.stdout)
    if figures["status"] != 0:
        sys.exit(f"{command} ended with an error")
    return figures["wall_ns"]


def measure_hits(sources, order):
    """For each way, and for each difference to ccache, the median over all sources."""
    figures = {way: [] for way in WAYS}
    for source in sources:
        for way in order.sample(list(WAYS), len(WAYS)):
            figures[way].append(measure_hit(WAYS[way], source))
    direct = figures["ccache"]
    for way in ("launcher", "link"):
        pairs = zip(figures[way], direct)
        figures[f"{way}-difference"] = [through - alone for through, alone in pairs]
    return {name: statistics.median(values) for name, values in figures.items()}


def check_hits(sources, rounds):
    """All hits, all on record: otherwise something else was measured."""
    counters = STATSLOG.read_text().splitlines()
    hits, misses = counters.count("direct_cache_hit"), counters.count("cache_miss")
    if (hits, misses) != (len(sources) * len(WAYS) * (rounds + 1), len(sources)):
        sys.exit(f"there were {hits} hits and {misses} misses")
    records = [json.loads(line) for line in RECORDS.read_text().splitlines()]
    if len(records) != len(sources) * ((len(WAYS) - 1) * (rounds + 1) + 1):
        sys.exit(f"there are {len(records)} records")
    if any(record["mode"] != "depend" for record in records):
        sys.exit("a file that is the same for every Python was not compiled in depend mode")


def main(rounds):
    load = os.getloadavg()[0]
    sources = prepare()
    cold = {way: [] for way in PLAIN | WAYS if way != "link"}
    for number in range(1 + (rounds - 1) // ROUNDS_TO_A_COLD_ONE):
        # The launcher comes last: what it has stored is what is then hit.
        for way in [*random.Random(number).sample(["plain", "ccache"], 2), "launcher"]:
            say(f"cold, round {number + 1}: {way}")
            cold[way].append(measure_cold((PLAIN | WAYS)[way], sources))
    hits = []
    # The first round is a rehearsal, for everything to be in memory.
    for number in range(rounds + 1):
        say(f"hits, round {number} of {rounds}")
        hits.append(measure_hits(sources, random.Random(number)))
    check_hits(sources, rounds)
    rows = [
        {"scene": "cold", "command": way, "figures": [seconds * 1e3 for seconds in figures]}
        for way, figures in cold.items()
    ]
    rows += [
        {"scene": "hit", "command": name, "figures": [one[name] / 1e6 for one in hits[1:]]}
        for name in hits[0]
    ]
    version = subprocess.run([CCACHE, "--version"], check=True, stdout=subprocess.PIPE).stdout
    facts = {
        "files": len(sources),
        "ccache": version.split()[2].decode(),
        "processors": os.cpu_count(),
        "load_before": load,
    }
    FIGURES.write_text(json.dumps({"facts": facts, "rows": rows}))


def say(words):
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("stopped")
    finally:
        # The host's user may not be allowed to remove what the container's has made.
        for path in RECORD.iterdir():
            if path != FIGURES:
                path.unlink()
