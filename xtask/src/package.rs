//! What the wheels are made from: a folder of the project, or a source distribution.

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::environment::Environment;
use crate::fault::Fault;
use crate::folders::HOME;
use crate::settings::Table;

/// The project: the folder that relative paths belong to and that is staged whole.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// Its root, absolute.
    pub(crate) root: Utf8PathBuf,
}

impl Project {
    /// The named project, or the one around this xtask.
    ///
    /// # Errors
    /// The named folder is not there.
    pub(crate) fn find(named: Option<&Utf8Path>, environment: &Environment) -> Result<Self> {
        let root = match named {
            None => own_project(&workspace_root(environment)),
            Some(named) => environment.current_folder()?.join(named),
        };
        let root = root.canonicalize_utf8().map_err(|error| {
            Fault::usage(format!("the project {root}: {error}"), "name a folder that is there")
        })?;
        Ok(Self { root })
    }
}

/// The root of the cargo workspace that this program was built from.
pub(crate) fn workspace_root(environment: &Environment) -> Utf8PathBuf {
    // Cargo sets the variable when it runs us, which is right even after the checkout has moved.
    let manifest = environment.get("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR"));
    let xtask = Utf8PathBuf::from(manifest);
    xtask.parent().map_or_else(|| xtask.clone(), Utf8Path::to_path_buf)
}

/// The project that a workspace was made for: itself, or the repository that has adopted it, which
/// `workspace.metadata.warmwheel.project` in its Cargo.toml leads to.
pub(crate) fn own_project(workspace: &Utf8Path) -> Utf8PathBuf {
    // Cargo has read that file before this program.
    let named = named_by(&workspace.join("Cargo.toml"), "project").ok().flatten();
    named.map_or_else(
        || workspace.to_path_buf(),
        |project| {
            let project = workspace.join(project);
            project.canonicalize_utf8().unwrap_or(project)
        },
    )
}

/// A path that `workspace.metadata.warmwheel` in a Cargo.toml names.
fn named_by(manifest: &Utf8Path, key: &str) -> Result<Option<Utf8PathBuf>> {
    Ok(read_table(manifest)?.and_then(|cargo| {
        let warmwheel = cargo.get("workspace")?.get("metadata")?.get("warmwheel")?;
        Some(Utf8PathBuf::from(warmwheel.get(key)?.as_str()?))
    }))
}

/// Where the wheels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A folder of the project, relative to its root; empty for the root itself.
    Folder(Utf8PathBuf),
    /// A source distribution, absolute.
    Sdist(Utf8PathBuf),
}

/// Finds what a PACKAGE argument means.
///
/// # Errors
/// It is not there, is neither a package nor a source distribution, or is a folder outside the
/// project.
pub(crate) fn locate(
    named: Option<&Utf8Path>,
    project: &Project,
    environment: &Environment,
) -> Result<Source> {
    let Some(named) = named else {
        return Ok(Source::Folder(own_package(project)?));
    };
    let path = environment.current_folder()?.join(named);
    let path = path.canonicalize_utf8().map_err(|error| {
        Fault::usage(
            format!("the package {named}: {error}"),
            "name a folder with a pyproject.toml, or a source distribution (.tar.gz)",
        )
    })?;
    if path.is_file() {
        if path.as_str().ends_with(".tar.gz") {
            return Ok(Source::Sdist(path));
        }
        return Err(Fault::usage(
            format!("{named} is no source distribution"),
            "name a .tar.gz made by `python -m build --sdist`, or the package's folder",
        ));
    }
    let within = path.strip_prefix(&project.root).map_err(|_| {
        Fault::usage(
            format!("{path} is outside the project {}", project.root),
            format!(
                "a package is built together with its project, which holds its .git and settings: \
                 add `--project {path}`, or build its source distribution"
            ),
        )
    })?;
    require_package(&path)?;
    Ok(Source::Folder(within.to_path_buf()))
}

/// The package that a project builds when none is named: what `workspace.metadata.warmwheel.package`
/// says in the Cargo.toml of the Warmwheel that it has adopted, or its root, or what its own
/// Cargo.toml says in that place.
fn own_package(project: &Project) -> Result<Utf8PathBuf> {
    let manifest = project.root.join(HOME).join("Cargo.toml");
    if let Some(package) = named_package(&manifest, project)? {
        return Ok(package);
    }
    if is_package(&project.root) {
        return Ok(Utf8PathBuf::new());
    }
    named_package(&project.root.join("Cargo.toml"), project)?.ok_or_else(|| {
        Fault::usage(
            format!("{} is no Python package", project.root),
            "name one: `cargo xtask release-wheels PACKAGE`",
        )
    })
}

/// The package that a manifest names, if it does.
fn named_package(manifest: &Utf8Path, project: &Project) -> Result<Option<Utf8PathBuf>> {
    match named_by(manifest, "package")? {
        Some(within) if !is_package(&project.root.join(&within)) => Err(Fault::usage(
            format!("{manifest} names the package {within}, which has no pyproject.toml"),
            "mend workspace.metadata.warmwheel.package",
        )),
        named => Ok(named),
    }
}

/// Whether a folder is that of a Python package.
pub(crate) fn is_package(folder: &Utf8Path) -> bool {
    ["pyproject.toml", "setup.py", "setup.cfg"].iter().any(|file| folder.join(file).is_file())
}

fn require_package(folder: &Utf8Path) -> Result<()> {
    if is_package(folder) {
        return Ok(());
    }
    Err(Fault::usage(
        format!("{folder} has no pyproject.toml, setup.py or setup.cfg"),
        "name the folder that holds one",
    ))
}

/// What a package's own files say that matters here.
#[derive(Clone, Debug)]
pub(crate) struct Traits {
    /// The distribution's name, as its metadata spells it, or its folder's.
    pub(crate) name: String,
    /// `build-system.build-backend`; setuptools when there is none, as PEP 517 has it.
    pub(crate) backend: String,
    /// Whether `[tool.scikit-build]` names the folder to build in, for some builds at least.
    pub(crate) names_build_dir: bool,
    /// Its `[tool.warmwheel]`.
    pub(crate) table: Table,
}

impl Traits {
    /// Reads the package in `folder`.
    ///
    /// # Errors
    /// Its pyproject.toml is no TOML, or its `[tool.warmwheel]` is not valid.
    pub(crate) fn read(folder: &Utf8Path) -> Result<Self> {
        require_package(folder)?;
        let file = folder.join("pyproject.toml");
        let pyproject = read_table(&file)?.unwrap_or_default();
        let text = |section: &str, key: &str| {
            pyproject.get(section)?.get(key)?.as_str().map(ToOwned::to_owned)
        };
        Ok(Self {
            name: text("project", "name")
                .unwrap_or_else(|| folder.file_name().unwrap_or("package").to_owned()),
            backend: text("build-system", "build-backend")
                .unwrap_or_else(|| "setuptools.build_meta:__legacy__".to_owned()),
            names_build_dir: names_build_dir(&pyproject),
            table: Table::read(&pyproject, &file)?,
        })
    }
}

/// The name that the package in `folder` declares in its pyproject.toml, if it does.
///
/// # Errors
/// That file cannot be read or is no TOML.
pub(crate) fn declared_name(folder: &Utf8Path) -> Result<Option<String>> {
    let pyproject = read_table(&folder.join("pyproject.toml"))?.unwrap_or_default();
    let name = pyproject.get("project").and_then(|project| project.get("name")?.as_str());
    Ok(name.map(ToOwned::to_owned))
}

fn names_build_dir(pyproject: &toml::Table) -> bool {
    let settings = pyproject.get("tool").and_then(|tool| tool.get("scikit-build"));
    let overrides = settings.and_then(|settings| settings.get("overrides")?.as_array());
    settings
        .into_iter()
        .chain(overrides.into_iter().flatten())
        .any(|table| table.get("build-dir").is_some())
}

fn read_table(file: &Utf8Path) -> Result<Option<toml::Table>> {
    if !file.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let table = text.parse().map_err(|error: toml::de::Error| {
        Fault::usage(format!("{file} is no TOML: {}", error.to_string().trim()), "mend the file")
    })?;
    Ok(Some(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_to_build_in_is_found_wherever_scikit_build_core_reads_it() {
        for (text, named) in [
            ("[tool.scikit-build]\nbuild-dir = 'build/{wheel_tag}'", true),
            ("[[tool.scikit-build.overrides]]\nif.state = 'wheel'\nbuild-dir = 'b'", true),
            ("[tool.scikit-build]\nbuild.verbose = true", false),
            ("[tool.other]\nbuild-dir = 'b'", false),
            ("", false),
        ] {
            assert_eq!(names_build_dir(&text.parse().unwrap()), named, "{text}");
        }
    }
}
