//! Which ccache a build uses, and how it comes into its container.

use anyhow::Result;
use serde::Serialize;

use super::facts::{Facts, ImageAnswer, Offer, Pinned, Selected};
use crate::cli;
use crate::fault::Fault;

/// How a build comes by its ccache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// The pinned one is mounted into the container.
    Pinned,
    /// The image has it, or the package's own `before-all` brings it.
    Image,
    /// The image's package manager installs it in front of the package's own `before-all`, unless
    /// the image has one.
    Package,
    /// It is this machine's: there is no container.
    Host,
}

/// A build's ccache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Ccache {
    /// How the build comes by it.
    pub(crate) way: Way,
    /// Its version, where that is known beforehand.
    pub(crate) version: Option<String>,
    /// What was asked for.
    pub(crate) setting: cli::Ccache,
    /// Who has asked for it; `None` for the default.
    pub(crate) origin: Option<String>,
    /// Why it is not the one that `auto` prefers, if it is not.
    pub(crate) why: Option<String>,
    /// The pinned one, where it is used.
    pub(crate) pinned: Option<Pinned>,
}

impl Ccache {
    /// Decides for one build; `image` is what is known of its image.
    ///
    /// # Errors
    /// The pinned one is asked for, and there is none.
    pub(crate) fn of(
        facts: &Facts<'_>,
        selected: &Selected,
        image: Option<&ImageAnswer>,
    ) -> Result<Self> {
        let wanted = &facts.settings.ccache;
        let of_way = |way, version| Self {
            way,
            version,
            setting: wanted.which,
            origin: wanted.origin.clone(),
            why: None,
            pinned: None,
        };
        if selected.image.is_none() || facts.host.is_some() {
            return Ok(of_way(Way::Host, None));
        }
        let in_image = InImage::of(image, selected);
        let offer = facts.ccaches.get(architecture_of(&selected.identifier));
        Ok(match (wanted.which, offer) {
            (cli::Ccache::Image, _) => of_way(Way::Image, in_image.version()),
            (cli::Ccache::Package, _) => of_way(Way::Package, None),
            (cli::Ccache::Pinned | cli::Ccache::Auto, Some(Offer::Ready(pinned))) => Self {
                pinned: Some(pinned.clone()),
                ..of_way(Way::Pinned, Some(pinned.version.clone()))
            },
            (cli::Ccache::Pinned, refused) => {
                return Err(refusal(&selected.identifier, refused, wanted.origin.as_deref()));
            }
            (cli::Ccache::Auto, refused) => {
                let (way, also) = in_image.way();
                let why = format!("{}{also}", reason(refused));
                Self { why: Some(why), ..of_way(way, in_image.version()) }
            }
        })
    }

    /// The version, where a run would rather fail than use another one.
    pub(crate) fn promised(&self) -> Option<&str> {
        self.version.as_deref().filter(|_| self.setting == cli::Ccache::Pinned)
    }

    /// It in words.
    pub(crate) fn text(&self) -> String {
        let what = match self.way {
            Way::Pinned => "the pinned one",
            Way::Image if self.version.is_some() => "the image's",
            Way::Image => "the image's, or the one that before-all brings",
            Way::Package => "from the image's package manager, unless the image has one",
            Way::Host => return "this machine's".to_owned(),
        };
        let version = self.version.as_ref().map(|version| format!("{version}, "));
        let origin = self.origin.as_deref().unwrap_or("the default");
        let why = self.why.as_ref().map(|why| format!("; {why}"));
        let (version, why) = (version.unwrap_or_default(), why.unwrap_or_default());
        format!("{version}{what} ({}, {origin}){why}", self.setting.word())
    }
}

/// The architecture of the static programs that run in an identifier's containers. Kernels that run
/// containers of 32 bits on x86 run programs of 64 bits in them as well.
pub(crate) fn architecture_of(identifier: &str) -> &str {
    let tag = identifier.split_once('-').map_or("", |(_, tag)| tag);
    match tag.split_once('_').map_or("", |(_, architecture)| architecture) {
        "i686" => "x86_64",
        architecture => architecture,
    }
}

/// What is known of the ccache in an image.
enum InImage<'a> {
    /// The package's own `before-all` speaks of ccache, and may bring another one.
    BeforeAll,
    /// It has this version.
    Has(&'a str),
    /// It has none.
    None,
    /// That is not known.
    Unknown,
}

impl<'a> InImage<'a> {
    fn of(image: Option<&'a ImageAnswer>, selected: &Selected) -> Self {
        let before_all = selected.options.get("before-all");
        if before_all.is_some_and(|option| option.value.contains("ccache")) {
            return Self::BeforeAll;
        }
        match image.map(|image| &image.contents) {
            Some(Ok(contents)) => contents.ccache.as_deref().map_or(Self::None, Self::Has),
            Some(Err(_)) | None => Self::Unknown,
        }
    }

    fn version(&self) -> Option<String> {
        if let Self::Has(version) = self { Some((*version).to_owned()) } else { None }
    }

    /// What takes the place of the pinned one, and what has to be said about it.
    fn way(&self) -> (Way, &'static str) {
        match self {
            Self::Has(_) => (Way::Image, ""),
            Self::BeforeAll => (Way::Image, "; the package's before-all speaks of ccache"),
            Self::None => (Way::Package, "; the image has none"),
            Self::Unknown => (Way::Package, "; whether the image has one is not known"),
        }
    }
}

/// Why there is no pinned one.
fn reason(offer: Option<&Offer>) -> &str {
    match offer {
        Some(Offer::Unpinned(why) | Offer::Missing(why)) => why,
        Some(Offer::Ready(_)) | None => "the pinned one was not looked for",
    }
}

fn refusal(identifier: &str, offer: Option<&Offer>, origin: Option<&str>) -> anyhow::Error {
    let origin = origin.unwrap_or("the default");
    let what = format!(
        "{identifier} is to be built with the pinned ccache ({origin}), but {}",
        reason(offer)
    );
    if let Some(Offer::Unpinned(_)) = offer {
        return Fault::usage(
            what,
            "let `--ccache auto`, `image` or `package` find another one, or pin a release that has \
             one under [tool.warmwheel.ccache-release]",
        );
    }
    Fault::machine(
        what,
        "name another folder that has the archive with `--ccache-mirror ADDRESS`, or let `--ccache \
         auto`, `image` or `package` find another one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_64_bits_run_in_containers_of_32() {
        for (identifier, architecture) in [
            ("cp312-manylinux_x86_64", "x86_64"),
            ("cp312-manylinux_i686", "x86_64"),
            ("cp312-musllinux_aarch64", "aarch64"),
            ("pp311-manylinux_ppc64le", "ppc64le"),
            ("cp312-win_amd64", "amd64"),
            ("odd", ""),
        ] {
            assert_eq!(architecture_of(identifier), architecture, "{identifier}");
        }
    }
}
