//! What plans are made from in tests.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use clap::Parser as _;
use serde_json::{Value, json};

use crate::cli::{Cli, Command, Engine};
use crate::environment::Environment;
use crate::lab::Lab;
use crate::package::Traits;
use crate::plan::facts::{
    Answer, Contents, Facts, Host, HostTools, ImageAnswer, Interpreter, Machine, Offer, Paths,
    Pinned,
};
use crate::plan::{BuildPlan, Plan, images, plan};
use crate::settings::{Settings, Table};

/// Everything a plan is made from, with plain defaults.
pub(super) struct Scenario {
    pub(super) flags: Vec<&'static str>,
    pub(super) backend: &'static str,
    pub(super) platform: &'static str,
    pub(super) builds: Vec<Value>,
    pub(super) variables: Vec<(&'static str, &'static str)>,
    pub(super) engines: Vec<Engine>,
    pub(super) lab: Option<Lab>,
    pub(super) host: Option<Host>,
    /// The `build` of every interpreter of every image, or why nothing is known of images.
    pub(super) build: Result<&'static str, &'static str>,
    /// The ccache of every image.
    pub(super) in_images: Option<&'static str>,
    /// The pinned ccaches.
    pub(super) ccaches: BTreeMap<String, Offer>,
    pub(super) names_build_dir: bool,
}

impl Scenario {
    pub(super) fn of(platform: &'static str, identifiers: &[&str]) -> Self {
        Self {
            flags: Vec::new(),
            backend: "scikit_build_core.build",
            platform,
            builds: identifiers.iter().map(|identifier| selected(identifier)).collect(),
            variables: vec![("HOME", "/home/me")],
            engines: vec![Engine::Docker, Engine::Podman],
            lab: None,
            host: None,
            build: Ok("1.6.1"),
            in_images: Some("4.7.5"),
            ccaches: BTreeMap::new(),
            names_build_dir: false,
        }
    }

    /// On this machine, without containers, which has an interpreter for each.
    pub(super) fn without_containers(platform: &'static str, identifiers: &[&str]) -> Self {
        Self {
            engines: Vec::new(),
            host: Some(host(identifiers)),
            flags: vec!["--builder", "host"],
            ..Self::of(platform, identifiers)
        }
    }

    pub(super) fn linux() -> Self {
        Self::of("linux", &["cp311-manylinux_x86_64", "cp312-manylinux_x86_64"])
    }

    /// Changes a field of the first build that cibuildwheel tells of.
    pub(super) fn with(mut self, field: &str, value: Value) -> Self {
        self.builds[0][field] = value;
        self
    }

    pub(super) fn option(mut self, name: &str, value: &str) -> Self {
        self.builds[0]["options"][name] = json!({"value": value, "origin": "pyproject"});
        self
    }

    pub(super) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// With a pinned ccache for `x86_64` and aarch64, as the pins have it.
    pub(super) fn pinned(mut self) -> Self {
        for architecture in ["x86_64", "aarch64"] {
            let pinned = Pinned {
                version: "4.14.1".to_owned(),
                sha256: "8f68".to_owned(),
                folder: format!("/home/me/.cache/warmwheel/pinned/{architecture}/bin").into(),
            };
            self.ccaches.insert(architecture.to_owned(), Offer::Ready(pinned));
        }
        self
    }

    /// With a reason why the pinned ccache is not to be had.
    pub(super) fn without(mut self, architecture: &str, offer: fn(String) -> Offer) -> Self {
        let why = format!("ccache 4.14.1 is not to be had for {architecture}");
        self.ccaches.insert(architecture.to_owned(), offer(why));
        self
    }

    pub(super) fn try_plan(self) -> anyhow::Result<Plan> {
        self.with_facts(|facts| {
            let ccache = self.in_images.map(ToOwned::to_owned);
            let contents = build_of(self.build).map(|build| Contents { build, ccache });
            let known = ImageAnswer { id: Some("0af".to_owned()), contents };
            let images = images(facts)?.into_keys().map(|image| (image, known.clone())).collect();
            plan(&Facts { images: &images, ..facts.clone() })
        })
    }

    /// Does something with what a plan is made from.
    pub(super) fn with_facts<T>(
        &self,
        work: impl FnOnce(&Facts<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let line = ["xtask", "release-wheels"].into_iter().chain(self.flags.iter().copied());
        let Command::ReleaseWheels(flags) = Cli::parse_from(line).command else { unreachable!() };
        let environment: Environment =
            self.variables.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
        let project = Utf8PathBuf::from("/src");
        let settings = Settings::resolve(&flags, &Table::default(), &project, &environment)?;
        let known = ["cp311", "cp312", "cp313"].map(|python| format!("{python}-manylinux_x86_64"));
        let answer: Answer = serde_json::from_value(
            json!({"platform": self.platform, "known": known, "builds": self.builds}),
        )?;
        let run = Utf8PathBuf::from("/src/target/warmwheel/RUN");
        let paths = Paths {
            project,
            package: "pkg".into(),
            stage: run.join("stage"),
            run,
            python: "/tools/bin/python".into(),
            files: "/src/target/warmwheel/container".into(),
        };
        let traits = Traits {
            name: "pkg".into(),
            backend: self.backend.into(),
            names_build_dir: self.names_build_dir,
            table: Table::default(),
        };
        work(&Facts {
            run_id: "RUN",
            settings: &settings,
            traits: &traits,
            answer: &answer,
            environment: &environment,
            machine: Machine { cores: 2, memory_bytes: None },
            engines: &self.engines,
            images: &BTreeMap::new(),
            ccaches: &self.ccaches,
            lab: self.lab.as_ref(),
            host: self.host.as_ref(),
            paths: &paths,
        })
    }

    pub(super) fn plan(self) -> Plan {
        self.try_plan().unwrap()
    }

    pub(super) fn first(self) -> BuildPlan {
        self.plan().builds.remove(0)
    }
}

/// What every image of a scenario answers about `build`.
fn build_of(build: Result<&str, &str>) -> Result<BTreeMap<String, String>, String> {
    let interpreters = ["cp311-cp311", "cp312-cp312"];
    build
        .map_err(ToOwned::to_owned)
        .map(|version| interpreters.map(|name| (name.to_owned(), version.to_owned())).into())
}

fn selected(identifier: &str) -> Value {
    let containers = identifier.contains("linux_");
    let python = identifier.split('-').next();
    let python = python.unwrap_or_default();
    json!({
        "identifier": identifier,
        "image": containers.then(|| format!("quay.io/{}", identifier.split_once('-').unwrap().1)),
        "engine": {
            "name": "docker",
            "create_args": [],
            "disable_host_mount": false,
            "host_mount_is_chosen": false,
        },
        "frontend": {"name": "build", "args": [], "constrained": (!containers).then_some("1.6.1")},
        "interpreter": containers.then(|| format!("/opt/python/{python}-{python}")),
        "config_settings": [],
        "options": {
            "environment": {"value": "", "origin": null},
            "test-command": {"value": "", "origin": null},
            "before-all": {"value": "", "origin": null},
            "before-build": {"value": "", "origin": null},
            "before-test": {"value": "", "origin": null},
            "config-settings": {"value": "", "origin": null},
        },
        "origins": {"container-engine": null, "build-frontend": null},
        "tested": true,
        "mentions_host": false,
    })
}

pub(super) fn host(identifiers: &[&str]) -> Host {
    let interpreter = |identifier: &&str| {
        let tag = identifier.split('-').next().unwrap_or_default();
        let interpreter = Interpreter {
            python: format!("/py/{tag}/bin/python").into(),
            version: "3.12.1".into(),
            build: "1.6.1".into(),
        };
        ((*identifier).to_owned(), interpreter)
    };
    Host {
        why: None,
        libc: Some("glibc 2.36".into()),
        compilers: "cc 12; c++ 12".into(),
        interpreters: identifiers.iter().map(interpreter).collect(),
        unfit: BTreeMap::new(),
        others: Vec::new(),
        tools: HostTools {
            uv: "/tools/host/bin/uv".into(),
            programs: "/tools/host/bin".into(),
            wheels: "/tools/frontend".into(),
        },
    }
}

pub(super) fn lab() -> Lab {
    Lab {
        engine: Engine::Podman,
        image: "localhost/warmwheel-lab:1".into(),
        architecture: "x86_64".into(),
        environment: BTreeMap::from([("CONTAINERS_CONF".to_owned(), "/lab/conf".to_owned())]),
        create_args: vec!["--network=host".into()],
        identifiers: vec!["cp311-manylinux_x86_64".into()],
    }
}
