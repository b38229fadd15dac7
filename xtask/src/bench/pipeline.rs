//! Whole runs: four versions of a package without a cache, with ccache wired by hand, and with
//! Warmwheel.

mod counts;
mod rivals;
mod scene;

use std::fs;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use self::counts::{Counts, objection};
use self::rivals::Log;
use self::scene::{Rival, Scene};
use super::figures::{self, Baseline, Limit, Report, Row, Spending, Unit};
use super::rig::Rig;
use super::sample::{Changed, Facts};
use super::warmwheel::{self, Places};
use super::{Bench, machine};
use crate::cli::Sample;

/// The versions that are built, as `--python` takes them.
const PYTHONS: &str = "3.10,3.11,3.12,3.13";

/// One run.
#[derive(Clone, Debug)]
struct Measured {
    rival: Rival,
    scene: Scene,
    seconds: f64,
    /// What the cache did, where there was one.
    counts: Option<Counts>,
    ccache: Option<String>,
    spending: Spending,
}

/// Builds one package in all ways, as often as there are rounds.
///
/// # Errors
/// Something is missing, a build fails, or a cache did not do what it was measured for.
pub(crate) fn run(bench: &Bench<'_>, package: Sample) -> Result<Report> {
    let rig = Rig::new(bench, package)?;
    let facts = package.facts();
    let tree = package.copy(bench, &rig.python, &rig.folder)?;
    let machine = machine::told();
    let mut rounds: Vec<Vec<Measured>> = Vec::new();
    for round in 0..bench.rounds {
        let mut measured = Vec::new();
        for rival in order(round) {
            let block = Block { rig: &rig, facts, tree: &tree, rival, round };
            measured.extend(block.run()?);
        }
        rounds.push(measured);
    }
    Ok(report(bench, package, &machine, &rounds))
}

/// The rivals, each of them once first, in the middle and last in three rounds.
fn order(round: u16) -> [Rival; 3] {
    let mut rivals = Rival::ALL;
    rivals.rotate_left(usize::from(round) % Rival::ALL.len());
    rivals
}

/// What one rival does in one round: its scenes in order, in a cache of their own.
struct Block<'a> {
    rig: &'a Rig<'a>,
    facts: Facts,
    tree: &'a Utf8Path,
    rival: Rival,
    round: u16,
}

impl Block<'_> {
    fn run(&self) -> Result<Vec<Measured>> {
        let folder = self.rig.folder.join("runs");
        let cache = folder.join("cache");
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {cache}"))?;
        let mut all: Vec<Measured> = Vec::new();
        for scene in self.rival.scenes(&self.facts) {
            let header = scene.header(&self.facts);
            let changed = header.map(|header| Changed::new(self.tree, &header)).transpose()?;
            let before = machine::busy_seconds();
            let mut measured = self.measure(scene, &folder.join(scene.title()), &cache)?;
            measured.spending.work = machine::work_since(before);
            changed.map_or(Ok(()), Changed::restore)?;
            self.check(&measured, &all)?;
            self.tell(&measured);
            all.push(measured);
        }
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {folder}"))?;
        Ok(all)
    }

    fn measure(&self, scene: Scene, folder: &Utf8Path, cache: &Utf8Path) -> Result<Measured> {
        let (rig, rival, word) = (self.rig, self.rival, self.rival.word(scene));
        let (wheels, records) = (folder.join("wheels"), folder.join("records"));
        let measured = if rival == Rival::Warmwheel {
            let places = Places { package: self.tree, cache, wheels: &wheels, records: &records };
            let done = warmwheel::run(rig, &places, &["--python", PYTHONS], word)?;
            let caches = || done.report.builds.iter().filter_map(|build| build.cache.as_ref());
            let counts = caches().map(Counts::of).collect::<Option<Vec<_>>>();
            Measured {
                rival,
                scene,
                seconds: done.seconds,
                counts: Some(self.sum(&counts.context("the report has no counts")?)?),
                ccache: caches().find_map(|cache| cache.ccache_version.clone()),
                spending: done.spending,
            }
        } else {
            let identifiers = identifiers(&rig.bench.lab.architecture).join(" ");
            let command = match rival {
                Rival::ByHand => rivals::by_hand(rig, self.tree, &wheels, &identifiers, cache),
                _ => rivals::plain(rig, self.tree, &wheels, &identifiers),
            };
            let mut log = Log::default();
            let seconds = rig.time(rival.title(scene), command, |at, line| log.read(at, line))?;
            let counts = match rival {
                Rival::ByHand => Some(self.sum(&log.counts)?),
                _ => None,
            };
            let spending = log.spending(word, seconds);
            Measured { rival, scene, seconds, counts, ccache: None, spending }
        };
        check_wheels(&wheels)?;
        Ok(measured)
    }

    /// All versions together; each must have been told of.
    fn sum(&self, counts: &[Counts]) -> Result<Counts> {
        let (told, versions) = (counts.len(), tags().count());
        let name = self.facts.name;
        anyhow::ensure!(told == versions, "{name}: {told} of {versions} versions were counted");
        Ok(Counts::sum(counts))
    }

    fn check(&self, measured: &Measured, earlier: &[Measured]) -> Result<()> {
        let Some(counts) = &measured.counts else { return Ok(()) };
        let warm = earlier.iter().find(|it| it.scene == Scene::Warm);
        let warm = warm.and_then(|it| it.counts.as_ref());
        let versions = u64::try_from(tags().count())?;
        if let Some(told) = objection(measured.scene, &self.facts, versions, counts, warm) {
            bail!("{}: {told}", self.rival.title(measured.scene));
        }
        Ok(())
    }

    fn tell(&self, measured: &Measured) {
        let told = measured.counts.map_or_else(String::new, |counts| {
            format!(" ({} hits, {} misses)", counts.hits(), counts.misses)
        });
        self.rig.bench.console.say(format!(
            "{}, round {} of {}, {}, {}: {:.1} s{told}",
            self.facts.name,
            self.round + 1,
            self.rig.bench.rounds,
            self.rival.title(measured.scene),
            measured.scene.title(),
            measured.seconds
        ));
    }
}

/// The interpreters' part of identifiers and wheel tags.
fn tags() -> impl Iterator<Item = String> {
    PYTHONS.split(',').map(|version| format!("cp{}", version.replace('.', "")))
}

fn identifiers(architecture: &str) -> Vec<String> {
    tags().map(|tag| format!("{tag}-manylinux_{architecture}")).collect()
}

/// One wheel for each version, and no other.
fn check_wheels(folder: &Utf8Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
        names.push(entry?.file_name().to_owned());
    }
    anyhow::ensure!(
        are_wheels_of_all(&names),
        "not a wheel for each of {PYTHONS}, but {}",
        names.join(", ")
    );
    Ok(())
}

fn are_wheels_of_all(names: &[String]) -> bool {
    let is_of = |name: &String, tag: &str| {
        Utf8PathBuf::from(name).extension() == Some("whl") && name.contains(&format!("-{tag}-"))
    };
    names.len() == tags().count()
        && tags().all(|tag| names.iter().filter(|name| is_of(name, &tag)).count() == 1)
}

fn report(bench: &Bench<'_>, package: Sample, machine: &str, rounds: &[Vec<Measured>]) -> Report {
    let cold = Scene::Cold.title();
    let baselines = [
        Baseline::in_scene(Rival::Plain.title(Scene::Cold), cold, "a"),
        Baseline::new(Rival::ByHand.title(Scene::Cold), "b"),
    ];
    let mut rows = rows(package, rounds);
    figures::compare(&mut rows, &baselines);
    Report {
        suite: format!("pipeline, {}", package.facts().name),
        circumstances: circumstances(bench, package, machine, rounds),
        baselines: baselines.into(),
        rows,
        spendings: rounds
            .last()
            .map(|round| spendings(&package.facts(), round))
            .unwrap_or_default(),
    }
}

/// Every rival in every scene that it has, scene by scene.
fn runs(facts: &Facts) -> impl Iterator<Item = (Scene, Rival)> {
    let in_scene = move |scene| {
        let rivals = Rival::ALL.into_iter();
        rivals.filter(move |it| it.scenes(facts).any(|its| its == scene)).map(move |it| (scene, it))
    };
    Scene::ALL.into_iter().flat_map(in_scene)
}

fn rows(package: Sample, rounds: &[Vec<Measured>]) -> Vec<Row> {
    let of = |scene, rival| {
        let all = rounds.iter().flatten();
        all.filter(move |it| (it.scene, it.rival) == (scene, rival))
    };
    let time = |(scene, rival): (Scene, Rival)| {
        let figures = of(scene, rival).map(|it| it.seconds).collect();
        let limits = rival.limits(scene, package);
        Row::new(scene.title(), rival.title(scene), Unit::Seconds, figures, limits)
    };
    let mut rows: Vec<Row> = runs(&package.facts()).filter_map(time).collect();
    let (scene, rival) = (Scene::Warm, Rival::Warmwheel);
    let direct = of(scene, rival).filter_map(|it| it.counts?.direct_percent()).collect();
    let limit = Limit::at_least(100.0);
    rows.extend(Row::new("direct hits", rival.title(scene), Unit::Percent, direct, [limit]));
    rows
}

fn spendings(facts: &Facts, round: &[Measured]) -> Vec<Spending> {
    let of = |(scene, rival)| round.iter().find(|it| (it.scene, it.rival) == (scene, rival));
    let mut all = Vec::new();
    for rival in Rival::ALL {
        let ran = rival.scenes(facts).filter_map(|scene| of((scene, rival)));
        all.extend(ran.map(|it| it.spending.clone()));
    }
    all
}

fn circumstances(
    bench: &Bench<'_>,
    package: Sample,
    machine: &str,
    rounds: &[Vec<Measured>],
) -> Vec<String> {
    let Facts { name, core, header, rarer, about_tests, .. } = package.facts();
    let ccache = rounds.iter().flatten().find_map(|it| it.ccache.as_deref());
    let plural = if bench.rounds == 1 { "round" } else { "rounds" };
    let mut told = vec![
        format!(
            "{name} for Python {PYTHONS}; {} {plural}, in each of which every run was done.",
            bench.rounds
        ),
        "a: cibuildwheel without a cache. b: with ccache wired by hand. Both in one process."
            .into(),
        "c, d, e: `release-wheels` with an empty cache, with the one that this leaves, and with \
         that and one header changed."
            .into(),
        format!(
            "The header is {}, which {} of the core's {core} files include.",
            header.path, header.includers
        ),
        "A ratio or limit of a is of its only row, of b of its row in the same scene. Direct hits \
         are of all compilations of the four builds."
            .into(),
        format!(
            "{machine} cibuildwheel {}, ccache {}.",
            bench.pins.cibuildwheel.version,
            ccache.unwrap_or("of unknown version")
        ),
    ];
    if let Some(rarer) = rarer {
        told.insert(
            4,
            format!(
                "f: as e, with {} changed in its place, which {} include.",
                rarer.path, rarer.includers
            ),
        );
    }
    told.extend(about_tests.map(ToOwned::to_owned));
    told
}

#[cfg(test)]
mod tests;
