//! What is to be built.

use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::cli::ReleaseWheels;
use crate::environment::Environment;
use crate::package::{self, Project, Source, Traits};
use crate::plan::Plan;
use crate::sdist;
use crate::staging;
use crate::staging::digest::Digest;

/// What is to be built, read and found to be in order.
pub(crate) struct Input {
    /// The project that it belongs to.
    pub(crate) project: Project,
    source: Source,
    /// What its own files say.
    pub(crate) traits: Traits,
    /// The folder that cibuildwheel is asked in.
    pub(crate) root: Utf8PathBuf,
    /// The package within it.
    pub(crate) package: Utf8PathBuf,
    /// Holds an unpacked sdist while it is asked about.
    _unpacked: Option<TempDir>,
}

impl Input {
    /// Reads what `flags` name.
    ///
    /// # Errors
    /// There is no such package, or its own files are not in order.
    pub(crate) fn read(flags: &ReleaseWheels, environment: &Environment) -> Result<Self> {
        let project = Project::find(flags.project.as_deref(), environment)?;
        let source = package::locate(flags.package.as_deref(), &project, environment)?;
        let (root, package, unpacked) = match &source {
            Source::Folder(within) => (project.root.clone(), within.clone(), None),
            Source::Sdist(archive) => {
                let folder = tempfile::tempdir()?;
                let destination = Utf8Path::from_path(folder.path())
                    .context("the folder for temporary files has a name that is not UTF-8")?;
                (sdist::unpack(archive, destination)?, Utf8PathBuf::new(), Some(folder))
            }
        };
        let traits = Traits::read(&root.join(&package))?;
        Ok(Self { project, source, traits, root, package, _unpacked: unpacked })
    }

    /// Puts the clean copy that containers get into the run's folder.
    pub(super) fn stage(&self, plan: &Plan, stage: &Utf8Path) -> Result<()> {
        match &self.source {
            Source::Folder(_) => {
                let without = [&plan.output_dir, &plan.ccache_dir, &plan.report_dir];
                staging::copy_project(&self.project.root, stage, &without.map(Clone::clone))
            }
            Source::Sdist(archive) => {
                let beside = plan.report_dir.join("sdist");
                fs::create_dir_all(&beside).with_context(|| format!("cannot make {beside}"))?;
                fs::rename(sdist::unpack(archive, &beside)?, stage)?;
                Ok(fs::remove_dir(&beside)?)
            }
        }
    }

    /// The source's digest, without a run: what would be staged is copied to `stage` for it.
    pub(super) fn digest_apart(&self, plan: &Plan, stage: &Utf8Path) -> Result<Digest> {
        if matches!(self.source, Source::Folder(_)) {
            self.stage(plan, stage)?;
        }
        let digest = self.digest(stage);
        // What it reads is gone soon.
        let _ = digest.wait();
        Ok(digest)
    }

    /// The source's digest, which is worked out while the first builds run.
    pub(super) fn digest(&self, stage: &Utf8Path) -> Digest {
        match &self.source {
            Source::Folder(_) => Digest::start(stage),
            Source::Sdist(archive) => Digest::start_archive(archive),
        }
    }
}
