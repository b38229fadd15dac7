//! Whether the workflows are in order: the project's own, and what other settings give.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::ci::workflow::{self, UNUSUAL};
use crate::fault::{Class, Fault};
use crate::pins::Pins;
use crate::process;
use crate::provision::Linters;
use crate::settings::Table;

/// Fails when a linter finds anything; what it is goes to stderr.
pub(super) fn check(workspace: &Utf8Path, linters: &Linters, pins: &Pins) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let scratch = Utf8Path::from_path(scratch.path())
        .context("the folder for temporary files has a name that is not UTF-8")?;
    let mut files = committed(&workspace.join(".github/workflows"))?;
    for (index, settings) in UNUSUAL.iter().enumerate() {
        let pyproject: toml::Table = settings.parse()?;
        let table = Table::read(&pyproject, Utf8Path::new("pyproject.toml"))?;
        let text = workflow::generate(&table.ci, &pins.actions)?;
        files.push(place(&scratch.join(format!("settings-{index}")), "release-wheels.yml", &text)?);
    }
    let mut tagged = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let name = file.file_name().unwrap_or_default();
        let text = workflow::by_major_version(&text);
        tagged.push(place(&scratch.join(format!("tags-{index}")), name, &text)?);
    }

    let mut actionlint = process::command(&linters.actionlint);
    actionlint
        // No pyflakes: there is no Python in these commands, and not every machine has it.
        .args(["-no-color", "-pyflakes=", "-shellcheck", linters.shellcheck.as_str()])
        .args(files.iter().chain(&tagged));
    let mut zizmor = process::command(&linters.zizmor);
    zizmor
        .args(["--persona=pedantic", "--offline", "--no-config", "--strict-collection"])
        .args(["--quiet", "--no-progress", "--color=never"])
        .args(&files);
    // Both, whatever the first one finds: it is all to be mended.
    let findings: Vec<_> = [("actionlint", actionlint), ("zizmor", zizmor)]
        .into_iter()
        .filter_map(|(name, linter)| Some((name, process::show(linter).err()?)))
        .map(|(name, error)| format!("{name}: {error:#}"))
        .collect();
    if findings.is_empty() {
        return Ok(());
    }
    Err(Fault::new(
        Class::Build,
        format!("the workflows are not in order: {}", findings.join("; ")),
        "mend what stands above; release-wheels.yml comes from xtask/src/ci/workflow/, by \
         `cargo xtask ci workflow --write`",
    )
    .into())
}

/// The workflows in a folder, by name.
fn committed(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let entries = folder.read_dir_utf8().with_context(|| format!("cannot read {folder}"))?;
    let mut files = entries
        .map(|entry| Ok(entry?.into_path()))
        .collect::<Result<Vec<_>>>()
        .with_context(|| format!("cannot read {folder}"))?;
    files.retain(|file| matches!(file.extension(), Some("yml" | "yaml")));
    files.sort();
    ensure!(!files.is_empty(), "{folder} has no workflows");
    Ok(files)
}

/// Writes a workflow where linters expect one.
fn place(project: &Utf8Path, name: &str, text: &str) -> Result<Utf8PathBuf> {
    let folder = project.join(".github/workflows");
    fs::create_dir_all(&folder)?;
    let file = folder.join(name);
    fs::write(&file, text)?;
    Ok(file)
}
