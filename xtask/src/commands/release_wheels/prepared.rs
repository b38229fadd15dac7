//! What a plan is made from: tools, and what was asked of cibuildwheel, engines and this machine.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Result, anyhow};
use camino::Utf8PathBuf;

use super::RUNS;
use super::folder::stage_folder;
use super::input::Input;
use super::ready;
use crate::builder::answer::{self, Question};
use crate::builder::host as driver;
use crate::cli::{Builder, Engine, ReleaseWheels};
use crate::console::Console;
use crate::doctor::examine::LAB;
use crate::doctor::judge;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::folders::{Folders, LAUNCHER, VALIDATOR};
use crate::lab::{self, Lab};
use crate::pins::Pins;
use crate::plan::{self, Plan, facts};
use crate::resume::inputs::Asked;
use crate::settings::Settings;
use crate::staging::digest;
use crate::{host, image, interpreters, pinned, provision};

/// The tools and facts that a plan needs.
pub(super) struct Prepared {
    folders: Folders,
    pins: Pins,
    python: Utf8PathBuf,
    answer: facts::Answer,
    engines: Vec<Engine>,
    lab: Option<Lab>,
}

impl Prepared {
    /// Gets what is missing, if that is wanted, and asks everybody who has to be asked.
    ///
    /// # Errors
    /// Something is missing, or cibuildwheel refuses the package's settings.
    pub(super) fn gather(
        flags: &ReleaseWheels,
        input: &Input,
        settings: &Settings,
        folders: Folders,
        environment: &Environment,
        console: Console,
    ) -> Result<Self> {
        let pins = Pins::built_in()?;
        let platform = host::platform(environment);
        let wants_lab = settings.image.as_deref() == Some(LAB);
        // None takes long, and none needs the others.
        let (engines, lab, asked) = thread::scope(|scope| {
            let engines = scope.spawn(|| match platform.as_str() {
                "linux" if settings.builder != Builder::Host => host::engines(environment),
                _ => Vec::new(),
            });
            let lab = scope.spawn(|| match (wants_lab, flags.setup) {
                (true, false) => lab::ready(&folders.target, environment, &pins),
                _ => Ok(None),
            });
            let asked = ask(&pins, input, &platform, environment, console);
            (engines.join().unwrap_or_default(), lab.join(), asked)
        });
        let (python, answer) = asked?;
        let made = lab.map_err(|_| anyhow!("the look for the test image broke off"))??;
        let lab = match (wants_lab, flags.setup) {
            (false, _) => None,
            (true, true) => {
                Some(lab::make(&folders.target, settings.engine, environment, &pins, console)?)
            }
            (true, false) => Some(made.ok_or_else(|| judge::lab_missing().into_fault())?),
        };
        Ok(Self { folders, pins, python, answer, engines, lab })
    }

    /// Works out the run. Where it has to do without containers, and may, the reason is told.
    ///
    /// # Errors
    /// Nothing to build, something that a build needs is not to be had, or a path that cannot be
    /// mounted.
    pub(super) fn plan(
        &self,
        run_id: &str,
        input: &Input,
        settings: &Settings,
        environment: &Environment,
        missing: image::Missing,
        console: Console,
    ) -> Result<Plan> {
        let runs = input.project.root.join(RUNS);
        let run = settings.report_dir.clone().unwrap_or_else(|| runs.join(run_id));
        let paths = facts::Paths {
            project: input.project.root.clone(),
            package: input.package.clone(),
            stage: stage_folder(&run),
            run,
            python: self.python.clone(),
            files: provision::container_folder(&self.folders.target),
        };
        let none = BTreeMap::new();
        let facts = facts::Facts {
            run_id,
            settings,
            traits: &input.traits,
            answer: &self.answer,
            environment,
            machine: host::machine(),
            engines: &self.engines,
            images: &none,
            ccaches: &BTreeMap::new(),
            lab: self.lab.as_ref(),
            host: None,
            paths: &paths,
        };
        let why = match plan::host::fallback(&facts, &none) {
            None if settings.builder != Builder::Host => {
                match self.in_containers(&facts, missing, console)? {
                    Ok(plan) => return Ok(plan),
                    Err(why) => Some(why),
                }
            }
            why => why,
        };
        if let Some(why) = &why {
            console.say(format!("{why}: building on this machine, without containers"));
        }
        let here = settings.without_containers();
        if let image::Missing::Pulled(_) = missing {
            ready::settled(settings, &here, true, &paths.project, environment, console)?;
        }
        let host = self.host(why, environment, console)?;
        plan::plan(&facts::Facts { settings: &here, host: Some(&host), ..facts })
    }

    /// Works out a run in containers, or tells why it has to do without them.
    fn in_containers(
        &self,
        facts: &facts::Facts<'_>,
        missing: image::Missing,
        console: Console,
    ) -> Result<Result<Plan, String>> {
        let facts::Facts { settings, environment, lab, .. } = *facts;
        let (needed, wanted) = (plan::images(facts)?, plan::ccaches(facts)?);
        // What a mere plan does not pull may well be there to be pulled.
        let builds = matches!(missing, image::Missing::Pulled(_));
        if builds {
            let project = &facts.paths.project;
            ready::settled(settings, settings, false, project, environment, console)?;
        }
        // Both may have to fetch something.
        let (images, ccaches) = thread::scope(|scope| {
            let ccaches = scope.spawn(|| {
                let (pins, python) = (&self.pins, &self.python);
                pinned::offers(&wanted, &settings.ccache, pins, python, environment, console)
            });
            let images = image::ask(needed.keys().cloned(), missing, lab, environment);
            (images, ccaches.join().unwrap_or_default())
        });
        let images = images?;
        if let Some(why) = plan::host::fallback(facts, &images).filter(|_| builds) {
            return Ok(Err(why));
        }
        let plan =
            plan::plan(&facts::Facts { images: &images, ccaches: &ccaches, ..facts.clone() })?;
        if builds {
            ready::images(&needed, &images, &plan, console)?;
        }
        Ok(Ok(plan))
    }

    /// This machine, for builds without containers.
    fn host(
        &self,
        why: Option<String>,
        environment: &Environment,
        console: Console,
    ) -> Result<facts::Host> {
        let tools = provision::host_tools(&self.pins, &self.python, environment, console)?;
        let is_selected =
            |identifier: &str| self.answer.builds.iter().any(|it| it.identifier == identifier);
        let found = interpreters::find(&tools.uv, is_selected, &self.pins, environment)?;
        Ok(facts::Host {
            why,
            libc: found.libc,
            compilers: facts::Compiler::text(&host::compilers(environment)),
            interpreters: found.interpreters,
            unfit: found.unfit,
            others: found.others,
            tools,
        })
    }

    /// What all builds are made with, for who wants to know whether it is the same again.
    pub(super) fn common(&self, plan: &Plan, input: &Input) -> Result<Asked> {
        let files = provision::container_folder(&self.folders.target);
        let mut volatile = vec![
            (plan.run_id.clone(), "run"),
            (plan.report_dir.to_string(), "records"),
            (plan.ccache_dir.to_string(), "cache"),
            (input.project.root.to_string(), "project"),
            (files.to_string(), "files"),
            (self.python.to_string(), "python"),
            (format!("WARMWHEEL_COMPILERS={}", plan.compilers), "compilers"),
        ];
        // Which one it is stands with each build's tools.
        let pinned = plan.builds.iter().filter_map(|build| build.ccache.pinned.as_ref());
        volatile.extend(pinned.map(|pinned| (pinned.folder.to_string(), "pinned")));
        let (validator, _) = digest::file(&files.join(VALIDATOR))?;
        let (launcher, _) = digest::file(&files.join(LAUNCHER))?;
        let tools = [
            ("Warmwheel", env!("CARGO_PKG_VERSION").to_owned()),
            ("cibuildwheel", provision::cibuildwheel_key()),
            ("validator", validator),
            ("launcher", launcher),
        ];
        let of_host = plan.host.iter().flat_map(|host| {
            [
                ("the driver of builds", driver::key()),
                ("compilers", host.compilers.clone()),
                ("environments", provision::host_key()),
            ]
        });
        let tools = tools.into_iter().chain(of_host);
        Ok(Asked {
            volatile,
            tools: tools.map(|(name, value)| (name.to_owned(), value)).collect(),
            ..Asked::default()
        })
    }
}

/// Has cibuildwheel tell what it makes of the package, and returns the Python that has it. It is
/// installed, or installed anew, where the one that is there cannot tell.
fn ask(
    pins: &Pins,
    input: &Input,
    platform: &str,
    environment: &Environment,
    console: Console,
) -> Result<(Utf8PathBuf, facts::Answer)> {
    let ask = |python: Utf8PathBuf| -> Result<_> {
        let (project, package) = (&input.root, &input.package);
        let question = Question { python: &python, project, package, platform, machine: None };
        let answer = answer::ask(&question, environment)?;
        Ok((python, answer))
    };
    if let Some(python) = provision::made_cibuildwheel(environment)? {
        match ask(python) {
            // What it objects to is the package's; anything else may be its own failing.
            Err(error) if error.downcast_ref::<Fault>().is_none() => {}
            asked => return asked,
        }
    }
    ask(provision::cibuildwheel(pins, environment, console)?)
}
