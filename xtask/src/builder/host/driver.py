"""Builds wheels on this machine, without containers.

Run by Warmwheel in the pinned cibuildwheel's own environment, with the staged project as the current
folder. Takes the arguments of cibuildwheel that Warmwheel uses, and reads `host.json` beside itself:
interpreters, tools and folders. Everything else is a setting of the package's, and cibuildwheel itself
tells what it comes to; the steps are those that it takes in a container, in the same order and under
the same headings. The version is pinned, so its internals may be used.

Each build has a folder of its own: a copy of the project, environments, wheels. It has the same name in
every run, since compilers are told it; two runs take turns.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from cibuildwheel import errors
from cibuildwheel.audit import run_audit
from cibuildwheel.frontend import get_build_frontend_extra_flags, prepare_config_settings
from cibuildwheel.logger import log
from cibuildwheel.options import CommandLineArguments, Options
from cibuildwheel.platforms import ALL_PLATFORM_MODULES, get_build_identifiers
from cibuildwheel.util import resources
from cibuildwheel.util.file import copy_test_sources
from cibuildwheel.util.helpers import prepare_command
from cibuildwheel.util.packaging import find_compatible_wheel
from filelock import FileLock, Timeout

WINDOWS = sys.platform == "win32"
PROGRAMS = "Scripts" if WINDOWS else "bin"
# Not for builds: what is meant for cibuildwheel, and for this program.
OURS = ("CIBW_", "PYTHONUNBUFFERED")


def run(command, env, cwd=None):
    """Runs a command, and shows it."""
    words = [str(word) for word in command]
    print("    + " + shlex.join(words), flush=True)
    found = shutil.which(words[0], path=env["PATH"])
    if found is None:
        raise errors.FatalError(f"there is no {words[0]} in the build's PATH")
    subprocess.run([found, *words[1:]], env=env, cwd=cwd, check=True, stdin=subprocess.DEVNULL)


def shell(command, env, cwd=None):
    """Runs a command of the package's, as cibuildwheel would."""
    print(f"    + {command}", flush=True)
    subprocess.run(
        command, env=env, cwd=cwd, check=True, stdin=subprocess.DEVNULL, shell=True
    )


def remove(folder):
    """Removes a folder, which may be missing, with what the build has made read-only."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir() and not folder.is_symlink():
        for parent, _, files in os.walk(folder):
            for path in [parent, *(os.path.join(parent, file) for file in files)]:
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
        shutil.rmtree(folder)


@contextlib.contextmanager
def held(path, meanwhile):
    """Holds a lock; says why it waits, if it does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(meanwhile, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@dataclasses.dataclass(frozen=True)
class Host:
    """What Warmwheel tells of this machine."""

    platform: str
    uv: str
    programs: str
    wheels: str
    builds: dict


@dataclasses.dataclass(frozen=True)
class Process:
    """The builds of this process, and where they happen."""

    host: Host
    options: Options
    identifiers: list
    folder: Path
    # The folder for what the processes of a run have in common.
    run: Path

    @property
    def project(self):
        """The copy of the project."""
        return self.folder / "project"

    @property
    def package(self):
        """The package in it."""
        return self.project / self.options.package_dir

    def prepared(self, command, **more):
        """A command of the package's with its placeholders filled."""
        return prepare_command(command, project=self.project, package=self.package, **more)

    def make_environment(self, folder, identifier, packages):
        """Makes an environment of the identifier's interpreter, with pinned packages."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
        uv = [self.host.uv, "--no-config", "--offline", "--quiet"]
        python = self.host.builds[identifier]["python"]
        run([*uv, "venv", "--no-project", "--python", python, folder], env)
        if packages:
            into = ["--python", program(folder, "python"), "--no-index", "--find-links"]
            run([*uv, "pip", "install", *into, self.host.wheels, *packages], env)

    def base(self, identifier):
        """The environment that a build starts in, with the frontend; made if it is not there."""
        folder = self.folder / f"base-{identifier}"
        if not folder.is_dir():
            self.make_environment(folder, identifier, ["pip", "build"])
        return folder

    def environment(self, identifier):
        """The variables of a build: as few of the user's as in a container, and the package's."""
        base = self.base(identifier)
        env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        path = [str(base / PROGRAMS), self.host.programs, env.get("PATH", os.defpath)]
        env.update(
            PATH=os.pathsep.join(path),
            CIBUILDWHEEL="1",
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            PIP_ROOT_USER_ACTION="ignore",
        )
        if self.host.platform == "linux":
            # The oldest systems that a wheel can do with, which need not be older than this one.
            env["AUDITWHEEL_PLAT"] = "auto"
        env = self.options.build_options(identifier).environment.as_dictionary(env)
        env["CIBUILDWHEEL_BUILD_IDENTIFIER"] = identifier
        found = shutil.which("python", path=env["PATH"])
        if found is None or Path(found) != program(base, "python"):
            raise errors.FatalError(
                f"python in PATH is {found}, not the one to build with: the package's environment "
                "may put folders in front of PATH, but none with a python"
            )
        return env


def program(environment, name):
    """A program of an environment."""
    return environment / PROGRAMS / (f"{name}.exe" if WINDOWS else name)


def before_all(process):
    """Runs the package's before-all, if no other process of the run has, and the check of ccache."""
    first = process.identifiers[0]
    options = process.options.build_options(first)
    preflight = process.host.builds[first]["preflight"]
    log.step("Running before_all...")
    env = process.environment(first)
    if options.before_all:
        command = process.prepared(options.before_all)
        # It names the copy of the project, which is another one for each build.
        name = hashlib.sha256(options.before_all.encode()).hexdigest()[:16]
        marker = process.run / f"before-all-{name}"
        with held(process.run / f"before-all-{name}.lock", "Waiting for another build's..."):
            ended = marker.read_text(encoding="utf-8") if marker.exists() else None
            if ended is None:
                marker.write_text("failed", encoding="utf-8")
                shell(command, env, cwd=process.project)
                marker.write_text("done", encoding="utf-8")
            elif ended != "done":
                raise errors.FatalError("before-all has failed, in the log of another build")
            else:
                print("It has run in this run, before another build.", flush=True)
    shell(preflight, env)


def build_wheel(process, identifier, env):
    """Has the package's frontend make a wheel."""
    options = process.options.build_options(identifier)
    frontend = options.build_frontend
    use_uv = frontend.name in {"build[uv]", "uv"}
    if options.before_build:
        log.step("Running before_build...")
        more = {"UV_PYTHON": str(program(process.base(identifier), "python"))} if use_uv else {}
        shell(process.prepared(options.before_build), {**env, **more}, cwd=process.project)

    log.step("Building wheel...")
    built = fresh(process.folder / "built")
    settings = prepare_config_settings(
        options.config_settings, project=process.project, package=process.package
    )
    flags = get_build_frontend_extra_flags(frontend, options.build_verbosity, settings)
    if frontend.name == "pip":
        command = ["python", "-m", "pip", "wheel", process.package, f"--wheel-dir={built}", "--no-deps"]
    elif frontend.name == "uv":
        python = program(process.base(identifier), "python")
        command = ["uv", "build", f"--python={python}", process.package, "--wheel", f"--out-dir={built}"]
    else:
        if use_uv and "--no-isolation" not in flags and "-n" not in flags:
            flags = [*flags, "--installer=uv"]
        command = ["python", "-m", "build", process.package, "--wheel", f"--outdir={built}"]
    run([*command, *flags], env, cwd=process.project)
    wheels = sorted(built.glob("*.whl"))
    if not wheels:
        raise errors.BuildProducedNoWheelError()
    if wheels[0].name.endswith("none-any.whl"):
        raise errors.NonPlatformWheelError()
    return wheels[0]


def repair_wheel(process, identifier, env, wheel, earlier):
    """Has the package's command make a wheel that needs nothing of this machine's but the system."""
    options = process.options.build_options(identifier)
    command = options.repair_command
    if process.host.platform == "windows" and is_default_repair(process):
        # Warmwheel brings nothing for it there.
        command = ""
    repaired = fresh(process.folder / "repaired")
    if command:
        log.step("Repairing wheel...")
        arm = "arm64" if identifier.endswith("arm64") else "x86_64"
        archs = "x86_64,arm64" if identifier.endswith("universal2") else arm
        command = process.prepared(
            command, wheel=wheel, dest_dir=repaired, delocate_archs=archs
        )
        shell(command, env, cwd=process.project)
    else:
        shutil.move(wheel, repaired)
    wheels = sorted(repaired.glob("*.whl"))
    if not wheels:
        raise errors.RepairStepProducedNoWheelError()
    if len(wheels) > 1:
        raise errors.RepairStepProducedMultipleWheelsError([it.name for it in wheels])
    if wheels[0].name in {it.name for it in earlier}:
        raise errors.AlreadyBuiltWheelError(wheels[0].name)
    log.step_end()
    run_audit(tmp_dir=process.folder, build_options=options, wheel=wheels[0])
    return wheels[0]


def is_default_repair(process):
    """Whether nobody has set repair-wheel-command."""
    reader = process.options.reader
    default = reader.default_platform_options.get("repair-wheel-command")
    return reader.get("repair-wheel-command") == default


def test_wheel(process, identifier, env, wheel):
    """Runs the package's tests in an environment that has nothing of the build's."""
    options = process.options.build_options(identifier)
    log.step("Testing wheel...")
    use_uv = options.build_frontend.name in {"build[uv]", "uv"}
    folder = fresh(process.folder / f"test-{identifier}")
    venv = folder / "venv"
    process.make_environment(venv, identifier, [] if use_uv else ["pip"])
    env = {
        **env,
        "PATH": os.pathsep.join([str(venv / PROGRAMS), env["PATH"]]),
        "VIRTUAL_ENV": str(venv),
    }
    env = options.test_environment.as_dictionary(env)
    if options.before_test:
        shell(process.prepared(options.before_test), env, cwd=process.project)
    install = ["uv", "pip", "install"] if use_uv else ["python", "-m", "pip", "install"]
    run([*install, f"{wheel}{options.test_extras}"], env)
    if options.test_requires:
        run([*install, *options.test_requires], env)
    cwd = folder / "test_cwd"
    cwd.mkdir()
    if options.test_sources:
        copy_test_sources(options.test_sources, process.project, cwd)
    else:
        shutil.copy(resources.TEST_FAIL_CWD_FILE, cwd / "test_fail.py")
    shell(process.prepared(options.test_command, wheel=wheel), env, cwd=cwd)
    remove(folder)


def fresh(folder):
    """An empty folder."""
    remove(folder)
    folder.mkdir(parents=True)
    return folder


def build_all(process):
    """Does the builds of this process, one after another."""
    output = process.options.globals.output_dir
    output.mkdir(parents=True, exist_ok=True)
    finished = []
    before_all(process)
    for identifier in process.identifiers:
        options = process.options.build_options(identifier)
        log.build_start(identifier)
        log.step("Setting up build environment...")
        env = process.environment(identifier)
        run(["python", "-V", "-V"], env)
        wheel = find_compatible_wheel(finished, identifier)
        is_new = wheel is None
        if is_new:
            wheel = build_wheel(process, identifier, env)
            wheel = repair_wheel(process, identifier, env, wheel, finished)
        else:
            log.step_end()
            print(
                f"\nFound previously built wheel {wheel.name}, that's compatible with {identifier}. "
                "Skipping build step..."
            )
        if options.test_command and options.test_selector(identifier):
            test_wheel(process, identifier, env, wheel)
        if is_new:
            wheel = Path(shutil.move(wheel, output / wheel.name))
            finished.append(wheel)
        log.build_end(wheel if is_new else None)


def parsed():
    """The arguments: those of cibuildwheel that are used."""
    parser = argparse.ArgumentParser(description="Builds wheels without containers.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--only")
    which.add_argument("--platform")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("package_dir", type=Path)
    return parser.parse_args()


def main():
    """Does what the arguments ask for; returns the exit code."""
    given = parsed()
    here = Path(__file__).resolve().parent
    host = Host(**json.loads((here / "host.json").read_text(encoding="utf-8")))
    stage = Path.cwd()
    arguments = dataclasses.replace(
        CommandLineArguments.defaults(),
        platform=host.platform,
        only=given.only,
        output_dir=given.output_dir.absolute(),
        package_dir=given.package_dir,
    )
    options = Options(platform=host.platform, command_line_arguments=arguments, env=os.environ)
    selected = get_build_identifiers(
        ALL_PLATFORM_MODULES[host.platform],
        options.globals.build_selector,
        options.globals.architectures,
    )
    identifiers = [it for it in selected if it in host.builds]
    if not identifiers:
        raise errors.NothingToDoError("nothing that is selected can be built here")
    folder = Path(host.builds[identifiers[0]]["folder"])
    process = Process(host, options, identifiers, folder, here)
    with held(folder.with_name(f"{folder.name}.lock"), "Waiting for another run's build..."):
        log.step("Copying project to where it is built...")
        fresh(folder)
        try:
            shutil.copytree(stage, process.project, symlinks=True)
            os.chdir(process.project)
            build_all(process)
        finally:
            os.chdir(stage)
            log.step_end(success=sys.exc_info()[0] is None)
            remove(folder)


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
except subprocess.CalledProcessError as error:
    shown = error.cmd if isinstance(error.cmd, str) else shlex.join(map(str, error.cmd))
    print(f"\nCommand failed with code {error.returncode}: {shown}", flush=True)
    sys.exit(1)
except errors.FatalError as error:
    print(f"\nerror: {error}", flush=True)
    sys.exit(error.return_code)
