"""Writes wheels and source distributions into the current folder, for tests.

Takes a JSON list of objects: "file" is the name that the rest is made from; "metadata" (its text),
"version" (that in METADATA), "without" (a file of .dist-info) and "bytes" (a length to cut it to)
spoil it.
"""

import base64
import hashlib
import io
import itertools
import json
import os
import sys
import tarfile
import zipfile

for one in json.loads(sys.argv[1]):
    file = one["file"]
    sdist = file.endswith(".tar.gz")
    stem = file.removesuffix(".tar.gz").removesuffix(".whl")
    name, version = stem.split("-")[:2]
    metadata = one.get("metadata") or (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {one.get('version', version)}\n"
        "Description-Content-Type: text/markdown\n\n# A description\n"
    )
    if sdist:
        with tarfile.open(file, "w:gz") as tar:
            for path, content in [("PKG-INFO", metadata), ("setup.py", "")]:
                about = tarfile.TarInfo(f"{stem}/{path}")
                about.size = len(content.encode())
                tar.addfile(about, io.BytesIO(content.encode()))
        continue
    info = f"{name}-{version}.dist-info"
    pythons, abis, platforms = (part.split(".") for part in stem.split("-")[-3:])
    tags = "".join(f"Tag: {'-'.join(tag)}\n" for tag in itertools.product(pythons, abis, platforms))
    purelib = "true" if abis == ["none"] else "false"
    members = {
        # Two wheels are never the same.
        f"{name}/__init__.py": f"# {file}\n",
        f"{name}/data.txt": "data\n" * 1000,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: {purelib}\n{tags}",
    }
    record = ""
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(content.encode())}\n"
    members[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    members.pop(f"{info}/{one.get('without')}", None)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            archive.writestr(path, content)
    if "bytes" in one:
        os.truncate(file, one["bytes"])
