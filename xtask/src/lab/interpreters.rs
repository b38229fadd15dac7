//! The interpreters of this machine that go into the test image: finding and copying them.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::environment::Environment;
use crate::fault::Fault;
use crate::process;

/// How long a Python may take to say where it lives; a version manager's shim is slow at first.
const QUESTION_LIMIT: Duration = Duration::from_secs(20);

/// An interpreter, by the prefix that it was built for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Interpreter {
    /// `MAJOR.MINOR`.
    pub(crate) version: String,
    /// The full version, such as `3.12.1`.
    pub(crate) full_version: String,
    /// Where it is installed, here and in the image.
    pub(crate) prefix: Utf8PathBuf,
}

impl Interpreter {
    /// Its name in build identifiers, such as `cp312`.
    pub(crate) fn tag(&self) -> String {
        tag(&self.version)
    }

    /// Where cibuildwheel looks for it in an image.
    pub(crate) fn folder(&self) -> Utf8PathBuf {
        let tag = self.tag();
        Utf8PathBuf::from(format!("/opt/python/{tag}-{tag}"))
    }
}

/// The name in build identifiers of a `MAJOR.MINOR` version.
pub(crate) fn tag(version: &str) -> String {
    format!("cp{}", version.replace('.', ""))
}

/// Finds an interpreter for each of `versions`.
///
/// # Errors
/// One of them is nowhere; the error names it and where it was looked for.
pub(crate) fn find(versions: &[String], environment: &Environment) -> Result<Vec<Interpreter>> {
    let folders = version_folders(environment);
    let found = versions
        .iter()
        .map(|version| {
            in_version_folders(version, &folders)
                .or_else(|| on_path(version, environment))
                .ok_or_else(|| missing(version, &folders))
        })
        .collect::<Result<Vec<_>>>()?;
    if let Some((one, other)) = sharing_a_prefix(&found) {
        return Err(Fault::machine(
            format!("Python {one} and Python {other} share the prefix that they are installed in"),
            "install each in a folder of its own, for example with pyenv",
        ));
    }
    Ok(found)
}

fn missing(version: &str, folders: &[Utf8PathBuf]) -> anyhow::Error {
    let mut places: Vec<&str> = folders.iter().map(|folder| folder.as_str()).collect();
    places.push("PATH");
    Fault::machine(
        format!("no CPython {version} for the test image in {}", places.join(", ")),
        format!(
            "install one outside /usr, for example with `pyenv install {version}`, \
             or take {version} out of `pythons` in tools/pins.toml"
        ),
    )
}

fn sharing_a_prefix(found: &[Interpreter]) -> Option<(&str, &str)> {
    found.iter().enumerate().find_map(|(index, one)| {
        let other = found[index + 1..].iter().find(|other| other.prefix == one.prefix)?;
        Some((one.full_version.as_str(), other.full_version.as_str()))
    })
}

/// The folders that hold one interpreter per version. Those beside the shims on `PATH` count too:
/// with another HOME they are the only trace of where the interpreters are.
pub(crate) fn version_folders(environment: &Environment) -> Vec<Utf8PathBuf> {
    let root = environment.get("PYENV_ROOT").map(Utf8PathBuf::from);
    let home = environment.get("HOME").map(|home| Utf8Path::new(home).join(".pyenv"));
    let on_path = environment.path_folders().into_iter();
    let shims = on_path.filter(|folder| folder.file_name() == Some("shims"));
    let beside = shims.filter_map(|folder| folder.parent().map(Utf8Path::to_path_buf));
    let mut folders = Vec::new();
    for folder in root.into_iter().chain(home).chain(beside) {
        let versions = folder.join("versions");
        if versions.is_dir() && !folders.contains(&versions) {
            folders.push(versions);
        }
    }
    folders
}

/// The newest interpreter of that version in the first folder that has one.
fn in_version_folders(version: &str, folders: &[Utf8PathBuf]) -> Option<Interpreter> {
    folders.iter().find_map(|folder| {
        let names = folder.read_dir_utf8().ok()?.filter_map(|entry| {
            let entry = entry.ok()?;
            let patch = patch_of(entry.file_name(), version)?;
            Some((patch, entry.into_path()))
        });
        let mut candidates: Vec<(u32, Utf8PathBuf)> = names.collect();
        candidates.sort_unstable();
        candidates.into_iter().rev().find_map(|(_, prefix)| at(version, &prefix))
    })
}

/// The patch number of a plain release of `version`: neither a prerelease nor a free-threaded
/// build, which have other tags.
fn patch_of(name: &str, version: &str) -> Option<u32> {
    name.strip_prefix(version)?.strip_prefix('.')?.parse().ok()
}

/// The interpreter of that version on `PATH`, by its own word on where it is installed.
fn on_path(version: &str, environment: &Environment) -> Option<Interpreter> {
    let program = environment.find_program(&format!("python{version}"))?;
    let mut question = process::command(program);
    question.args(["-c", "import sys; print(sys.base_prefix)"]);
    let prefix = process::probe(question, QUESTION_LIMIT)?;
    at(version, Utf8Path::new(prefix.trim()))
}

fn at(version: &str, prefix: &Utf8Path) -> Option<Interpreter> {
    let prefix = prefix.canonicalize_utf8().ok()?;
    // The system's own Python shares its prefix with everything else, in another layout.
    if prefix == "/" || prefix == "/usr" || !prefix.join(format!("bin/python{version}")).exists() {
        return None;
    }
    let header = prefix.join(format!("include/python{version}/patchlevel.h"));
    let full_version = version_in_header(&fs::read_to_string(header).ok()?)?;
    patch_of(&full_version, version)?;
    Some(Interpreter { version: version.to_owned(), full_version, prefix })
}

/// The version that a `patchlevel.h` declares.
fn version_in_header(header: &str) -> Option<String> {
    let line = header.lines().find_map(|line| line.strip_prefix("#define PY_VERSION"))?;
    Some(line.trim().trim_matches('"').to_owned())
}

/// Copies an interpreter below `root`, to the same prefix, and links it to where cibuildwheel
/// looks for it. Whatever was installed into it since it was built stays behind.
///
/// # Errors
/// A file cannot be read or written.
pub(crate) fn copy(interpreter: &Interpreter, root: &Utf8Path) -> Result<()> {
    let prefix = &interpreter.prefix;
    let target = below(root, prefix);
    ensure!(!target.exists(), "{prefix} exists in the image already");
    copy_tree(prefix, Utf8Path::new(""), &target, &interpreter.version)
        .with_context(|| format!("cannot copy {prefix}"))?;
    fs::create_dir_all(target.join(format!("lib/python{}/site-packages", interpreter.version)))?;

    let python = target.join("bin/python");
    match fs::remove_file(&python) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => link(&format!("python{}", interpreter.version), &python)?,
    }
    let folder = below(root, &interpreter.folder());
    fs::create_dir_all(folder.parent().unwrap_or(root))?;
    link(prefix.as_str(), &folder)
}

/// Where an absolute path is below `root`.
pub(crate) fn below(root: &Utf8Path, absolute: &Utf8Path) -> Utf8PathBuf {
    root.join(absolute.strip_prefix("/").unwrap_or(absolute))
}

fn copy_tree(
    prefix: &Utf8Path,
    within: &Utf8Path,
    target: &Utf8Path,
    version: &str,
) -> io::Result<()> {
    fs::create_dir_all(target.join(within))?;
    for entry in prefix.join(within).read_dir_utf8()? {
        let entry = entry?;
        let inner = within.join(entry.file_name());
        let kind = entry.file_type()?;
        if !wanted(&inner, version) {
            continue;
        }
        let to = target.join(&inner);
        if kind.is_dir() {
            copy_tree(prefix, &inner, target, version)?;
        } else if kind.is_symlink() {
            link_io(entry.path().read_link_utf8()?.as_str(), &to)?;
        } else {
            copy_file(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// Whether a path below the prefix belongs to the interpreter itself and is of use in an image:
/// no installed packages, no test suite, no static library, no marker that would make pip refuse.
fn wanted(inner: &Utf8Path, version: &str) -> bool {
    let python = format!("python{version}");
    let parts: Vec<&str> = inner.components().map(|part| part.as_str()).collect();
    match parts[..] {
        ["bin" | "include" | "lib"] | ["lib", "pkgconfig"] => true,
        ["bin", name] => is_own_program(name, &python),
        ["include", name, ..] => name == python,
        ["lib", "pkgconfig", name] => name.starts_with("python"),
        ["lib", name] => name == python || (name.starts_with("libpython") && is_shared(name)),
        ["lib", name, ref inside @ ..] if name == python => match *inside {
            ["site-packages" | "test" | "EXTERNALLY-MANAGED", ..] => false,
            [configuration, file] if configuration.starts_with("config-") => is_shared(file),
            [.., file] => !file.contains(".opt-"),
            [] => true,
        },
        _ => false,
    }
}

fn is_own_program(name: &str, python: &str) -> bool {
    let plain = name.strip_suffix("-config").unwrap_or(name);
    plain == "python" || plain == "python3" || plain == python
}

fn is_shared(file: &str) -> bool {
    Utf8Path::new(file).extension() != Some("a")
}

/// Copies a file with its mode and its time: a compiled module is only used when the time of its
/// source is the one that is written in it.
fn copy_file(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let modified = fs::metadata(from)?.modified()?;
    File::options().write(true).open(to)?.set_modified(modified)
}

fn link(target: &str, at: &Utf8Path) -> Result<()> {
    link_io(target, at).with_context(|| format!("cannot link {at} to {target}"))
}

#[cfg(unix)]
fn link_io(target: &str, at: &Utf8Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link_io(_: &str, _: &Utf8Path) -> io::Result<()> {
    // The test image is only made on Linux.
    Err(ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A prefix as far as finding it is concerned.
    fn install(folder: &Utf8Path, full_version: &str, version: &str) {
        let prefix = folder.join(full_version);
        let include = prefix.join(format!("include/python{version}"));
        fs::create_dir_all(&include).unwrap();
        fs::create_dir_all(prefix.join("bin")).unwrap();
        fs::write(prefix.join(format!("bin/python{version}")), "").unwrap();
        let header =
            format!("#define PY_MAJOR_VERSION 3\n#define PY_VERSION \t\"{full_version}\"\n");
        fs::write(include.join("patchlevel.h"), header).unwrap();
    }

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        (folder, path)
    }

    #[test]
    fn the_newest_plain_release_beside_the_shims_is_found() {
        let (_guard, root) = scratch();
        let versions = root.join("versions");
        for name in ["3.12.9", "3.12.10", "3.12.11rc1", "3.13.0t"] {
            install(&versions, name, &name[..4]);
        }
        let path = root.join("shims");
        let found = find(&["3.12".to_owned()], &environment(&[("PATH", path.as_str())])).unwrap();
        assert_eq!(found[0].full_version, "3.12.10");
        assert_eq!(found[0].prefix, versions.join("3.12.10"));
        assert_eq!(found[0].folder(), "/opt/python/cp312-cp312");
    }

    #[test]
    fn a_missing_one_is_named_with_where_it_was_looked_for() {
        let (_guard, root) = scratch();
        install(&root.join("versions"), "3.13.0t", "3.13");
        let here = environment(&[("PYENV_ROOT", root.as_str())]);
        let error = find(&["3.13".to_owned()], &here).unwrap_err();
        assert_eq!(crate::fault::class_of(&error).exit_code(), 4);
        let text = crate::fault::explain(&error);
        assert!(text.contains("no CPython 3.13") && text.contains(root.as_str()), "{text}");
        assert!(text.contains("pyenv install 3.13"), "{text}");
    }

    #[test]
    fn only_the_interpreter_itself_is_copied() {
        let cases = [
            ("bin/python3.11", true),
            ("bin/python3.11-config", true),
            ("bin/python3.12", false),
            ("bin/pip3", false),
            ("bin/python-argcomplete", false),
            ("include/python3.11/Python.h", true),
            ("include/site/python3.11/greenlet.h", false),
            ("lib/libpython3.11.so.1.0", true),
            ("lib/libpython3.11.a", false),
            ("lib/pkgconfig/python-3.11.pc", true),
            ("lib/python3.11", true),
            ("lib/python3.11/test/test_ssl.py", false),
            ("lib/python3.11/site-packages", false),
            ("lib/python3.11/EXTERNALLY-MANAGED", false),
            ("lib/python3.11/unittest/test", true),
            ("lib/python3.11/lib-dynload/_ssl.so", true),
            ("lib/python3.11/__pycache__/ast.cpython-311.pyc", true),
            ("lib/python3.11/__pycache__/ast.cpython-311.opt-1.pyc", false),
            ("lib/python3.11/config-3.11-x86_64-linux-gnu/libpython3.11.a", false),
            ("lib/python3.11/config-3.11-x86_64-linux-gnu/Makefile", true),
            ("share/man", false),
        ];
        for (path, expected) in cases {
            assert_eq!(wanted(Utf8Path::new(path), "3.11"), expected, "{path}");
        }
    }

    #[test]
    fn a_copy_keeps_times_links_and_the_prefix() {
        let (_guard, root) = scratch();
        install(&root.join("versions"), "3.12.1", "3.12");
        let prefix = root.join("versions/3.12.1");
        fs::create_dir_all(prefix.join("lib/python3.12/site-packages/numpy")).unwrap();
        link("python3.12", &prefix.join("bin/python3")).unwrap();
        let source = prefix.join("bin/python3.12");
        let time = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::options().write(true).open(&source).unwrap().set_modified(time).unwrap();

        let interpreter = at("3.12", &prefix).unwrap();
        let image = root.join("image");
        copy(&interpreter, &image).unwrap();

        let copied = below(&image, &prefix);
        assert_eq!(fs::metadata(copied.join("bin/python3.12")).unwrap().modified().unwrap(), time);
        assert_eq!(copied.join("bin/python3").read_link_utf8().unwrap(), "python3.12");
        assert_eq!(copied.join("bin/python").read_link_utf8().unwrap(), "python3.12");
        assert!(copied.join("lib/python3.12/site-packages").is_dir());
        assert!(!copied.join("lib/python3.12/site-packages/numpy").exists());
        assert_eq!(image.join("opt/python/cp312-cp312").read_link_utf8().unwrap(), prefix);
    }
}
