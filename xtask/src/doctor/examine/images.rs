//! The images that builds need, and the containers that are run of them.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use camino::Utf8Path;

use super::{
    Check, Known, Subject, engine_wanted, facts, joined, judge, may_fall_back, paths, theirs,
    wants_lab,
};
use crate::cli::Builder;
use crate::doctor::State;
use crate::doctor::facts::Image;
use crate::doctor::trial::{self, Theirs};
use crate::host;
use crate::image;
use crate::lab::Lab;
use crate::pinned;
use crate::plan;
use crate::plan::ccache::Ccache;
use crate::plan::facts::{Facts, ImageAnswer, ImageQuestion, Offer, Selected};

/// A registry's answer.
const REGISTRY_LIMIT: Duration = Duration::from_secs(15);

/// What the look for containers came to.
pub(super) enum Looking {
    /// Builds run in them, with these checks of their images.
    In(Vec<Check>),
    /// Builds go without, since this image is not to be had.
    NoImage(Check),
    /// Builds go without, since no engine answers.
    NoEngine,
    /// Builds go without, as they are told.
    NotWanted,
}

/// An image, and the builds that need it.
type Needed<'a> = (Image, Vec<&'a Selected>);

/// Looks for the images of the run, and into those that are here.
///
/// # Errors
/// A question broke off.
pub(super) fn look_at_all(subject: &Subject<'_>, known: &Known) -> Result<Looking> {
    if subject.platform != "linux" || subject.settings.builder == Builder::Host {
        return Ok(Looking::NotWanted);
    }
    if may_fall_back(subject) && known.engines.is_empty() {
        return Ok(Looking::NoEngine);
    }
    if wants_lab(subject) && known.lab.is_none() {
        return Ok(Looking::In(vec![judge::lab_missing()]));
    }
    let paths = paths(subject);
    let answer = known.answer.as_ref();
    let facts = answer.map(|answer| facts(subject, known, answer, &paths));
    let needed = match &facts {
        Ok(facts) => selected(facts),
        Err(why) => named(subject, known, why).map(|image| vec![(image, Vec::new())]),
    };
    let needed = match needed {
        Ok(needed) => needed,
        Err(why) => return Ok(Looking::In(vec![judge::no_image(&why)])),
    };
    let offers = facts.as_ref().map(|facts| offers(subject, known, facts)).unwrap_or_default();
    let facts = facts.ok().map(|facts| Facts { ccaches: &offers, ..facts });

    let theirs = theirs(subject, subject.settings);
    let looked: Vec<Needed<'_>> = thread::scope(|scope| {
        let (theirs, offers) = (&theirs, &offers);
        let begun = needed.into_iter().map(|(image, builds)| {
            let pinned = ready(offers, &builds);
            let look = move || look(image, known.lab.as_ref(), theirs, pinned);
            (scope.spawn(look), builds)
        });
        let begun: Vec<_> = begun.collect();
        let done = begun.into_iter().map(|(thread, builds)| Ok((joined(thread)?, builds)));
        done.collect::<Result<_>>()
    })?;
    let refused = looked.iter().map(|(image, _)| about(image, judge::image(image)));
    let refused = refused.filter(|_| may_fall_back(subject)).find(|it| it.state == State::Bad);
    if let Some(check) = refused {
        return Ok(Looking::NoImage(check));
    }
    let variables = theirs.variables();
    let judged = |(image, builds): &Needed<'_>| {
        let ccache = facts.as_ref().and_then(|facts| ccache(facts, image, builds));
        let checks = [
            judge::image(image),
            judge::container(image),
            judge::bind_mount(image),
            judge::ccache_inside(image, ccache.as_ref()),
            judge::build_inside(image),
            judge::selftest_inside(image, &variables),
            judge::disk_inside(image),
            judge::clock_inside(image),
        ];
        checks.map(|check| about(image, check))
    };
    Ok(Looking::In(looked.iter().flat_map(judged).collect()))
}

fn about(image: &Image, check: Check) -> Check {
    check.of_image(&image.question.image)
}

/// The images of the builds that are selected.
fn selected<'a>(facts: &Facts<'a>) -> Result<Vec<Needed<'a>>, String> {
    let needed = plan::images(facts).map_err(|error| format!("{error:#}"))?;
    let image = |(question, builds): (ImageQuestion, Vec<&'a Selected>)| {
        let folder = |path: &str| Utf8Path::new(path).file_name().map(ToOwned::to_owned);
        let interpreters = builds.iter().filter_map(|build| folder(build.interpreter.as_deref()?));
        let image = Image {
            interpreters: interpreters.collect(),
            has_before_all: builds.iter().any(|build| build.has_before_all()),
            ..Image::of(question)
        };
        (image, builds)
    };
    Ok(needed.into_iter().map(image).collect())
}

/// The image that somebody names, where `why` keeps anybody from telling the builds.
fn named(subject: &Subject<'_>, known: &Known, why: &str) -> Result<Image, String> {
    let named = known.lab.as_ref().map(|lab| lab.image.clone());
    let image = named.or_else(|| subject.settings.image.clone()).ok_or(why)?;
    let engine = match engine_wanted(subject, known) {
        Some((engine, _)) => known.engines.contains(&engine).then_some(engine),
        None => known.engines.first().copied(),
    };
    let engine = engine.ok_or("it takes a container engine that answers")?;
    let platform = plan::platform_of(&host::architecture());
    Ok(Image::of(ImageQuestion { engine, image, platform }))
}

/// The pinned ccaches of the run, which are fetched as for a plan.
fn offers(subject: &Subject<'_>, known: &Known, facts: &Facts<'_>) -> BTreeMap<String, Offer> {
    let (Some((python, _)), Ok(wanted)) = (&known.tool, plan::ccaches(facts)) else {
        return BTreeMap::new();
    };
    let settings = &subject.settings.ccache;
    pinned::offers(&wanted, settings, subject.pins, python, subject.environment, subject.console)
}

/// The folder of the pinned ccache that builds use.
fn ready<'a>(offers: &'a BTreeMap<String, Offer>, builds: &[&Selected]) -> Option<&'a Utf8Path> {
    let architecture = plan::ccache::architecture_of(&builds.first()?.identifier);
    match offers.get(architecture)? {
        Offer::Ready(pinned) => Some(&pinned.folder),
        Offer::Unpinned(_) | Offer::Missing(_) => None,
    }
}

/// Which ccache the builds of an image use: the first that cannot have the one that is asked for
/// decides, else the first.
fn ccache(facts: &Facts<'_>, image: &Image, builds: &[&Selected]) -> Option<Result<Ccache>> {
    let contents = image.ran().map(|trial| trial.contents.clone());
    let contents = contents.ok_or_else(|| "no container of it was run".to_owned());
    let answer = ImageAnswer { id: image.id.clone(), contents };
    let mut decided: Vec<_> =
        builds.iter().map(|build| Ccache::of(facts, build, Some(&answer))).collect();
    let refused = decided.iter().position(Result::is_err).unwrap_or(0);
    (!decided.is_empty()).then(|| decided.swap_remove(refused))
}

/// Looks for an image, and into it.
fn look(image: Image, lab: Option<&Lab>, theirs: &Theirs<'_>, pinned: Option<&Utf8Path>) -> Image {
    let question = &image.question;
    let id = image::local_id(question, lab);
    let trial = id.as_ref().map(|_| trial::container(question, lab, theirs, pinned));
    let registry = match id {
        Some(_) => None,
        None => Some(image::registry_reply(question, lab, REGISTRY_LIMIT)),
    };
    Image { id, registry, trial, ..image }
}
