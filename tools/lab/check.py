"""Fails unless the running interpreter works in the test image: VERSION, PREFIX."""

import importlib
import importlib.machinery
import pathlib
import ssl
import sys
import sysconfig

# What cibuildwheel and pip cannot do without.
import build
import ctypes
import venv
import virtualenv
import zlib

version, prefix = sys.argv[1:]
assert sys.version.split()[0] == version, sys.version
assert sys.prefix == prefix, sys.prefix
assert sysconfig.get_path("include").startswith(prefix), sysconfig.get_path("include")
assert ssl.create_default_context().get_ca_certs(), "no certificates"

# Every extension module must find its libraries; only the windows of tkinter have no place here.
suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
for module in sorted(pathlib.Path(sysconfig.get_path("platstdlib"), "lib-dynload").glob("*" + suffix)):
    name = module.name[: -len(suffix)]
    if not name.startswith(("_tkinter", "_test", "_xx", "xx", "_ctypes_test")):
        importlib.import_module(name)
