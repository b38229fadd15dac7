"""Judges a build by ccache's counters, and prints what ccache's log says of the project.

The rival in `cargo xtask bench`: what `ccache-validator validate` does for a build, in Python, by
somebody who has looked for what is fast there. It reads the counters, prints the calls in the log
that concern the project and were no hits, removes the log, zeroes the counters, and exits with 3
if there were no hits.

It does less than the validator: it keeps no record and no marker, it has one verdict, it takes
paths in the log as they stand, and it prints control characters as they come.
"""

import os
import re
import subprocess
import sys

MAX_PRINTED_BYTES = 96 * 1024
MAX_SECTION_BYTES = 16 * 1024
# A log does not tell when a process ended: the one silent for longest is taken to have.
MAX_OPEN = 128

BLOCK_BYTES = 256 * 1024

# A line that says something, after any number that do not: settings that nobody changed, the
# traffic of locks and temporary files. In whole blocks it takes half the time of line by line.
LINE = re.compile(
    rb"(?:\[[^]]*\] (?:Config: \(default\)|Acquir|Releas|Unlink ).*\n)*+\[\S+ (\d+) *\] (.*\n)"
)
# The same a line at a time, as one would write it first.
STAMP = re.compile(rb"\[\S+ (\d+) *\] ")
SAYS_NOTHING = (b"Config: (default)", b"Acquir", b"Releas", b"Unlink ")
START = b"=== CCACHE "
# In the text of one call, of which these are never the first line.
HIT = re.compile(rb"\nResult: (?:direct|preprocessed)_cache_hit\n")
NO_COMPILATION = re.compile(
    rb"\nResult: (?:called_for_link|called_for_preprocessing|no_input_file)\n"
)
RESULT = re.compile(rb"\nResult: (?!\w+_storage_)(\S+)\n")
SOURCE = re.compile(rb"\nSource file: (.*)\n")
# A path, at the beginning of a word or after an option's letter: -I/project.
CONCERNS = (
    rb"\n(?:Command line|Working directory|Source file|Object file): "
    rb".*?(?:(?<![\w.-])|(?<=-\w))%b(?![\w.-])"
)


def ccache(*arguments):
    # Its own questions do not belong in the build's log.
    environment = {name: value for name, value in os.environ.items() if name != "CCACHE_LOGFILE"}
    command = ["ccache", *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout


def count_hits():
    counters = dict(line.split(b"\t") for line in ccache("--print-stats").splitlines())
    return int(counters[b"direct_cache_hit"]) + int(counters[b"preprocessed_cache_hit"])


def read_plainly(log):
    """Yields the process number and the message of each line that says something."""
    for line in log:
        stamp = STAMP.match(line)
        if stamp:
            message = line[stamp.end() :]
            if not message.startswith(SAYS_NOTHING):
                yield stamp[1], message


def read_blocks(log):
    """Yields the same in half the time."""
    while block := log.read(BLOCK_BYTES) + log.readline():
        yield from LINE.findall(block)


def read_sections(lines):
    """Yields each call's process number and text."""
    sections = {}
    current = section = None
    for process, message in lines:
        if message.startswith(START):
            if process in sections:
                yield process, b"".join(sections.pop(process))
            elif len(sections) >= MAX_OPEN:
                silent = next(iter(sections))
                yield silent, b"".join(sections.pop(silent))
            sections[process] = section = []
            current = process
        elif process != current:
            # Whoever wrote last comes last.
            section = sections.pop(process, None)
            if section is not None:
                sections[process] = section
            current = process
        if section is not None:
            section.append(message)
    for process, section in sections.items():
        yield process, b"".join(section)


def render(process, text):
    source = SOURCE.search(text)
    result = RESULT.search(text)
    header = b"ccache log: %s: %s (process %s)\n" % (
        source[1] if source else b"unknown call",
        result[1] if result else b"no result",
        process,
    )
    lines = text[:MAX_SECTION_BYTES].splitlines()[1:]
    return header + b"".join(b"| %s\n" % line for line in lines)


def print_log(path, project, read_lines, out):
    concerns = re.compile(CONCERNS % re.escape(project))
    calls = hits = missed = other = left_out = printed = 0
    with open(path, "rb") as log:
        for process, text in read_sections(read_lines(log)):
            calls += 1
            if not concerns.search(text):
                continue
            if HIT.search(text):
                hits += 1
            elif NO_COMPILATION.search(text):
                other += 1
            else:
                missed += 1
                if left_out == 0:
                    shown = render(process, text)
                    if printed + len(shown) <= MAX_PRINTED_BYTES:
                        printed += len(shown)
                        out.write(shown)
                        continue
                left_out += 1
    if left_out:
        out.write(b"ccache log: %d more calls that missed or failed are not shown\n" % left_out)
    out.write(
        b"ccache log: %d of %d calls concern the project: %d hits, %d missed or failed, "
        b"%d compiled nothing\n" % (hits + missed + other, calls, hits, missed, other)
    )


def main():
    out = sys.stdout.buffer
    hits = count_hits()
    out.write(b"ccache: %d hits\n" % hits)
    path = os.environ.get("CCACHE_LOGFILE")
    if path and os.path.isfile(path):
        read_lines = read_plainly if "--plainly" in sys.argv else read_blocks
        print_log(path, os.fsencode(os.environ["CCACHE_BASEDIR"]), read_lines, out)
        os.remove(path)
    ccache("--zero-stats")
    return 0 if hits else 3


if __name__ == "__main__":
    sys.exit(main())
