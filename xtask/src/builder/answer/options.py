"""Tells what cibuildwheel makes of a package's settings.

Run by Warmwheel in the pinned cibuildwheel's own environment, with the project as the current
folder: PLATFORM, PACKAGE (relative) and MACHINE (the processor of the machine that will build, as
Linux calls it; empty for this one's) as arguments, the user's CIBW_* variables in the environment. Prints one JSON object, in which "read" lists the files that the answer comes from.
Asking cibuildwheel is the only way to be right about the order of defaults, TOML tables, overrides
and variables; the version is pinned, so its internals may be used.
"""

import contextlib
import dataclasses
import json
import os
import platform as machines
import re
import shlex
import sys
import sysconfig
import tempfile
from pathlib import Path

from cibuildwheel import __version__, errors
from cibuildwheel.options import (
    CommandLineArguments,
    EnvironmentFormat,
    ListFormat,
    Options,
    ShlexTableFormat,
)
from cibuildwheel.platforms import ALL_PLATFORM_MODULES, get_build_identifiers
from cibuildwheel.selector import selector_matches

# The options that Warmwheel puts something of its own in front of, with how their values join.
MERGED = {
    "environment": EnvironmentFormat(),
    "test-command": ListFormat(sep=" && "),
    "before-all": ListFormat(sep=" && "),
    "before-build": ListFormat(sep=" && "),
    "before-test": ListFormat(sep=" && "),
    "config-settings": ShlexTableFormat(sep=" ", pair_sep="="),
}
# Those that no variable with a platform suffix sets.
UNSUFFIXED = ["build-frontend"]
# Those that it has to set whole.
WHOLE = ["container-engine", "build-frontend"]


def origin(options, name, identifier):
    """The most specific level that sets an option, in the words of its user."""
    reader = options.reader
    variable = "CIBW_" + name.upper().replace("-", "_")
    suffixed = f"{variable}_{reader.platform.upper()}"
    if suffixed in reader.env and name not in UNSUFFIXED:
        return suffixed
    if variable in reader.env:
        return variable
    for override in reversed(reader.overrides):
        if selector_matches(override.select_pattern, identifier) and name in override.options:
            return f"override for {override.select_pattern}"
    if name in reader.config_platform_options:
        return f"tool.cibuildwheel.{reader.platform}.{name}"
    if name in reader.config_options:
        return f"tool.cibuildwheel.{name}"
    return None


def image(build_options, identifier):
    """The image of an identifier, or None where there are no containers."""
    tag = identifier.split("-", 1)[1]
    kind, _, architecture = tag.partition("_")
    images = {
        "manylinux": build_options.manylinux_images,
        "musllinux": build_options.musllinux_images,
    }.get(kind)
    return images[architecture] if images else None


def constrained_build(build_options, configuration):
    """The version of `build` that cibuildwheel installs on a host, if the constraints fix it."""
    with tempfile.TemporaryDirectory() as folder:
        path = build_options.dependency_constraints.get_for_python_version(
            version=configuration.version, tmp_dir=Path(folder)
        )
        text = path.read_text(encoding="utf-8") if path else ""
    found = re.search(r"^build *== *([^\s;]+)", text, re.MULTILINE)
    return found.group(1) if found else None


def build(options, configuration):
    """What cibuildwheel would do for one identifier."""
    identifier = configuration.identifier
    with options.reader.identifier(identifier):
        values = {
            name: options.reader.get(name, option_format=form) for name, form in MERGED.items()
        }
        engine_text = options.reader.get(
            "container-engine", option_format=ShlexTableFormat(sep="; ", pair_sep=":")
        )
        passed = options.reader.get("environment-pass", option_format=ListFormat(sep=" "))
    build_options = options.build_options(identifier)
    engine = build_options.container_engine
    return {
        "identifier": identifier,
        "image": image(build_options, identifier),
        "engine": {
            "name": engine.name,
            "create_args": list(engine.create_args),
            "disable_host_mount": engine.disable_host_mount,
            # Whether that was said at all: the default is to mount the host's whole tree.
            "host_mount_is_chosen": "host_mount" in engine_text.replace("-", "_"),
        },
        "frontend": {
            "name": build_options.build_frontend.name,
            "args": list(build_options.build_frontend.args),
            "constrained": constrained_build(build_options, configuration),
        },
        # In containers: the interpreter's folder.
        "interpreter": getattr(configuration, "path_str", None),
        "config_settings": [
            setting.partition("=")[0] for setting in shlex.split(values["config-settings"])
        ],
        "options": {
            name: {"value": value, "origin": origin(options, name, identifier)}
            for name, value in values.items()
        },
        "origins": {name: origin(options, name, identifier) for name in WHOLE},
        "passed": passed.split(),
        "tested": bool(options.globals.test_selector(identifier)),
        "mentions_host": "/host" in json.dumps(
            [
                values,
                build_options.repair_command,
                str(build_options.test_environment),
            ]
        ),
    }


def note_files(read):
    """From now on, `read` gets the path of each file that is opened."""

    def note(event, arguments):
        if event == "open" and isinstance(arguments[0], str):
            read.add(os.path.realpath(arguments[0]))

    sys.addaudithook(note)


def is_packages(path):
    """Whether a file is the package's or the user's: Python's own and cibuildwheel's are locked."""
    own = (sys.prefix, sysconfig.get_path("stdlib"))
    return os.path.isfile(path) and not path.startswith(tuple(os.path.join(f, "") for f in own))


def main():
    """Prints the answer, or what is wrong with the package's settings."""
    platform, package, machine = sys.argv[1:]
    if machine:
        # "auto" among the architectures means the machine that builds, which need not be this one.
        machines.machine = lambda: machine
    read = set()
    note_files(read)
    arguments = dataclasses.replace(
        CommandLineArguments.defaults(), platform=platform, package_dir=Path(package)
    )
    try:
        # cibuildwheel warns on stdout, which is for the answer here.
        with contextlib.redirect_stdout(sys.stderr):
            options = Options(
                platform=platform, command_line_arguments=arguments, env=dict(os.environ)
            )
            module = ALL_PLATFORM_MODULES[platform]
            selected = get_build_identifiers(
                module, options.globals.build_selector, options.globals.architectures
            )
            known = {c.identifier: c for c in module.all_python_configurations()}
            answer = {
                "version": __version__,
                "platform": platform,
                "known": list(known),
                "test_skip": options.globals.test_selector.skip_config,
                "builds": [build(options, known[identifier]) for identifier in selected],
                "read": sorted(filter(is_packages, tuple(read))),
            }
    except errors.FatalError as error:
        answer = {"error": str(error)}
    except (ValueError, TypeError, AttributeError) as error:
        # What cibuildwheel itself would end in a traceback for: a setting of the wrong type.
        answer = {"error": f"{type(error).__name__}: {error}"}
    json.dump(answer, sys.stdout)


main()
