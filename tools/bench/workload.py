"""Makes what the validator and its rivals read: cache, counters, statslog and logs of a build.

ccache itself has left all of them. Only the size of the large log is made up: it is the text of
real calls, again and again, each time under other process numbers.
"""

import concurrent.futures
import os
import re
import subprocess
from pathlib import Path

PROJECT = Path("/project")
# What else was compiled meanwhile: a build requirement, which does not concern the project.
OTHER = Path("/tmp/requirement")

PROJECT_SOURCES = 34
OTHER_SOURCES = 6
# How often everything is compiled for the log: once missing, then hitting.
LOGGED_PASSES = 5
# How often the project is compiled for the counters and the statslog, all of it hitting.
COUNTED_PASSES = 5

LARGEST_PROCESS_NUMBER = 4_194_304
PROCESS_NUMBER = re.compile(rb"^(\[\S+ )(\d+) *\]", re.MULTILINE)

SOURCE = """\
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double area_{number}(const double *xs, const double *ys, size_t count)
{{
    double sum = {number};
    for (size_t i = 0; i + 1 < count; i++)
        sum += xs[i] * ys[i + 1] - xs[i + 1] * ys[i];
    return fabs(sum) / 2;
}}
"""


def write_sources():
    """Writes the C files, and returns for each of them its folder and its compiler's arguments."""
    calls = []
    for root, count in ((PROJECT, PROJECT_SOURCES), (OTHER, OTHER_SOURCES)):
        build = root / "build"
        (root / "src").mkdir(parents=True)
        (build / "CMakeFiles" / "core.dir").mkdir(parents=True)
        for number in range(count):
            source = root / "src" / f"area_{number}.c"
            source.write_text(SOURCE.format(number=number))
            flags = ["-Dcore_EXPORTS", f"-I{root}/include", "-O2", "-DNDEBUG", "-fPIC"]
            compiled = f"CMakeFiles/core.dir/area_{number}.c.o"
            calls.append((build, ["gcc", *flags, "-o", compiled, "-c", str(source)]))
    return calls


def compile_all(calls, environment):
    """As a build does it: as many at once as there are processors."""

    def compile_one(call):
        folder, arguments = call
        subprocess.run(["ccache", *arguments], cwd=folder, env=environment, check=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
        for _ in executor.map(compile_one, calls):
            pass


def compile_for_log(calls, environment, log):
    """Fills the cache; the log tells of every file's miss and its hits after that."""
    for _ in range(LOGGED_PASSES):
        compile_all(calls, {**environment, "CCACHE_LOGFILE": str(log)})


def compile_for_counters(calls, environment, statslog):
    """Counters and statslog of a build that hit with everything; returns the number of calls."""
    subprocess.run(
        ["ccache", "--zero-stats"], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    own = [call for call in calls if call[0].is_relative_to(PROJECT)]
    for _ in range(COUNTED_PASSES):
        compile_all(own, {**environment, "CCACHE_STATSLOG": str(statslog)})
    return len(own) * COUNTED_PASSES


def enlarge(log, enlarged, size):
    """Repeats a log up to `size` bytes; each copy has process numbers of its own."""
    text = log.read_bytes()
    pieces = []
    end = 0
    for match in PROCESS_NUMBER.finditer(text):
        pieces.append((text[end : match.end(1)], int(match[2])))
        end = match.end()
    rest = text[end:]
    first = min(number for _, number in pieces)
    span = max(number for _, number in pieces) - first + 1

    written = offset = 0
    with open(enlarged, "wb") as out:
        while written < size:
            copy = bytearray()
            for piece, number in pieces:
                number = (number + offset) % LARGEST_PROCESS_NUMBER
                # As ccache pads it.
                copy += b"%b%-5d]" % (piece, number)
            copy += rest
            room = size - written
            if len(copy) > room:
                del copy[copy.rfind(b"\n", 0, room) + 1 :]
                return written + out.write(copy)
            written += out.write(copy)
            offset += span
    return written
