//! Container images: which one a name means on this machine, which `build` its interpreters have, and
//! which ccache it has. Asked once per image and remembered under the image's id, which is a hash of
//! what it holds.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;

use crate::console::Console;
use crate::doctor::judge;
use crate::environment::Environment;
use crate::lab::Lab;
use crate::memory;
use crate::plan::facts::{Contents, ImageAnswer, ImageQuestion};
use crate::process::{self, Reply};
use crate::text;

/// How long an engine may take to tell of an image; the first question after a start is slow.
const INSPECT_LIMIT: Duration = Duration::from_secs(30);
/// How long a container may take to list its interpreters. Under emulation that is slow.
const LIST_LIMIT: Duration = Duration::from_secs(120);
/// Lists the `build` of every interpreter. Files only and no process besides the shell, apart from
/// ccache: even a Python that only reads its own metadata takes longer than the container's start.
pub(crate) const LIST: &str = r#"for record in /opt/python/*/lib/*/site-packages/build-*.dist-info; do
    if [ -d "$record" ]; then echo "$record"; fi
done
if command -v ccache >/dev/null 2>&1; then ccache --version || :; fi
"#;

/// What becomes of an image that is not on this machine.
#[derive(Clone, Copy)]
pub(crate) enum Missing {
    /// It is pulled, for a person to see.
    Pulled(Console),
    /// It stays unknown.
    Left,
}

/// Asks about all images of a run. What cannot be found out is no fault of the run: the answer
/// then says why. That an image cannot be had is for the run to judge, which may do without.
///
/// # Errors
/// Where images are to be pulled: no container of one can be run.
pub(crate) fn ask(
    questions: impl IntoIterator<Item = ImageQuestion>,
    missing: Missing,
    lab: Option<&Lab>,
    environment: &Environment,
) -> Result<BTreeMap<ImageQuestion, ImageAnswer>> {
    let memory = environment.cache_folder().ok().map(|cache| cache.join("images"));
    let asker = Asker { lab, memory, missing };
    questions
        .into_iter()
        .map(|question| {
            let answer = asker.answer(&question)?;
            Ok((question, answer))
        })
        .collect()
}

/// The id of an image on this machine; `None` if it is not here.
pub(crate) fn local_id(question: &ImageQuestion, lab: Option<&Lab>) -> Option<String> {
    let mut command = command(question, lab);
    command.args(["image", "inspect", "--format", "{{.Id}} {{.Os}}/{{.Architecture}}"]);
    command.arg(&question.image);
    matching_id(&process::probe(command, INSPECT_LIMIT)?, &question.platform)
}

/// A command of the engine's, as it has to be called on this machine.
pub(crate) fn command(question: &ImageQuestion, lab: Option<&Lab>) -> Command {
    let mut command = process::command(question.engine.name());
    command.envs(lab.into_iter().flat_map(|lab| &lab.environment));
    command
}

/// Has a shell run a script in a container of the image: `script`, or what it reads from its stdin. With
/// `mounts`, each of them `HOST:INSIDE`, it runs as root. The network is left out: nothing here needs it.
pub(crate) fn shell(
    question: &ImageQuestion,
    lab: Option<&Lab>,
    mounts: &[&str],
    script: Option<&str>,
) -> Command {
    let mut command = command(question, lab);
    command.args(["run", "--rm", "--interactive", "--pull=never"]);
    command.args(["--platform", &question.platform]);
    let arguments = lab.map_or_else(Vec::new, |lab| lab.create_args.clone());
    if !arguments.iter().any(|argument| argument.starts_with("--net")) {
        command.arg("--network=none");
    }
    command.args(arguments);
    if !mounts.is_empty() {
        command.arg("--user=0");
        command.args(mounts.iter().map(|mount| format!("--volume={mount}")));
    }
    command.args(["--entrypoint=/bin/sh", &question.image]);
    match script {
        Some(script) => command.args(["-c", script]),
        None => command.arg("-s"),
    };
    command
}

/// What a registry replies when it is asked for the image, without pulling it.
pub(crate) fn registry_reply(
    question: &ImageQuestion,
    lab: Option<&Lab>,
    limit: Duration,
) -> Reply {
    let mut command = command(question, lab);
    command.args(["manifest", "inspect", &question.image]);
    process::reply(command, limit)
}

/// The digest of an image as its registry has it now, without pulling it: from the reference, or from
/// whatever here can ask a registry. `None` is no failure: the reference itself is then all there is
/// to go by.
pub(crate) fn digest(image: &str, environment: &Environment) -> Option<String> {
    if let Some((_, digest)) = image.split_once('@') {
        return Some(digest.to_owned()).filter(|digest| is_digest(digest));
    }
    let docker = ["buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"];
    let skopeo = ["inspect", "--no-tags", "--format", "{{.Digest}}"];
    let ways = [("docker", &docker[..], ""), ("skopeo", &skopeo[..], "docker://")];
    ways.into_iter().find_map(|(program, arguments, scheme)| {
        let mut command = process::command(environment.find_program(program)?);
        command.args(arguments).arg(format!("{scheme}{image}"));
        let said = process::probe(command, INSPECT_LIMIT)?;
        Some(said.trim().to_owned()).filter(|digest| is_digest(digest))
    })
}

fn is_digest(text: &str) -> bool {
    let hash = text.strip_prefix("sha256:");
    hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

struct Asker<'a> {
    lab: Option<&'a Lab>,
    memory: Option<Utf8PathBuf>,
    missing: Missing,
}

impl Asker<'_> {
    fn answer(&self, question: &ImageQuestion) -> Result<ImageAnswer> {
        let id = match self.id(question) {
            Ok(id) => id,
            Err(error) => return Ok(ImageAnswer { id: None, contents: Err(text::reason(&error)) }),
        };
        let file = self.memory.as_ref().map(|folder| folder.join(format!("{id}.json")));
        if let Some(known) = file.as_deref().and_then(memory::recall) {
            return Ok(ImageAnswer { id: Some(id), contents: Ok(known) });
        }
        let command = shell(question, self.lab, &[], None);
        let contents = match process::reply_to_input(command, LIST.as_bytes(), LIST_LIMIT) {
            Reply::Said(listed) => Ok(contents(&listed)),
            // It is just as little going to run one of a build's.
            Reply::Refused(words) if matches!(self.missing, Missing::Pulled(_)) => {
                return Err(judge::container_refused(question, &words).into_fault());
            }
            Reply::Refused(words) | Reply::Silent(words) => Err(text::in_one_line(&words)),
        };
        if let (Ok(found), Some(file)) = (&contents, file) {
            // Only costs the next run the same question.
            let _ = memory::remember(&file, found);
        }
        Ok(ImageAnswer { id: Some(id), contents })
    }

    /// The id of an image on this machine, which it is pulled to if need be.
    fn id(&self, question: &ImageQuestion) -> Result<String> {
        if let Some(id) = local_id(question, self.lab) {
            return Ok(id);
        }
        let ImageQuestion { engine, image, platform } = question;
        let Missing::Pulled(console) = self.missing else {
            bail!("the image is not on this machine, and a plan pulls none");
        };
        console.say(format!("pulling {image}"));
        let mut command = command(question, self.lab);
        command.args(["pull", "--platform", platform, image]);
        process::show(command)?;
        let id = local_id(question, self.lab);
        id.with_context(|| format!("{} pulled {image}, but has no {platform} of it", engine.name()))
    }
}

/// The id out of an engine's `ID OS/ARCHITECTURE`, if it is that platform's. Engines do not tell
/// the variant, as in `linux/arm/v7`, in one way.
fn matching_id(inspected: &str, platform: &str) -> Option<String> {
    let (id, found) = inspected.trim().split_once(' ')?;
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    let is_hash = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wanted = platform.splitn(3, '/').take(2).eq(found.split('/').take(2));
    (is_hash && wanted).then(|| id.to_owned())
}

/// What a container has told in answer to [`LIST`]: from `/opt/python/cp312-cp312/lib/python3.12/site-packages/build-1.6.1.dist-info` and the like, and
/// from what ccache says of itself.
pub(crate) fn contents(listed: &str) -> Contents {
    let version = |line: &str| {
        let interpreter = line.strip_prefix("/opt/python/")?.split('/').next()?;
        let record = line.rsplit('/').next()?;
        let version = record.strip_prefix("build-")?.strip_suffix(".dist-info")?;
        Some((interpreter.to_owned(), version.to_owned()))
    };
    let ccache = listed.lines().find_map(|line| line.strip_prefix("ccache version "));
    Contents {
        build: listed.lines().filter_map(version).collect(),
        ccache: ccache.map(|version| text::shown(version.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_another_platform_is_another_image() {
        let amd64 = "sha256:0aF linux/amd64\n";
        assert_eq!(matching_id(amd64, "linux/amd64").as_deref(), Some("0aF"));
        assert_eq!(matching_id("0af linux/arm", "linux/arm/v7").as_deref(), Some("0af"));
        for (inspected, platform) in [
            (amd64, "linux/386"),
            (amd64, "linux/arm64"),
            ("../../x linux/amd64", "linux/amd64"),
            (" linux/amd64", "linux/amd64"),
            ("", "linux/amd64"),
        ] {
            assert_eq!(matching_id(inspected, platform), None, "{inspected} {platform}");
        }
    }

    #[test]
    fn each_interpreter_has_its_own_build() {
        let listed = "/opt/python/cp312-cp312/lib/python3.12/site-packages/build-1.6.1.dist-info\n\
            /opt/python/pp311-pypy311_pp73/lib/pypy3.11/site-packages/build-1.4.4.dist-info\n\
            some warning\n";
        let expected = [("cp312-cp312", "1.6.1"), ("pp311-pypy311_pp73", "1.4.4")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(contents(listed), Contents { build: expected.into(), ccache: None });
    }

    #[test]
    fn an_images_ccache_tells_its_version_in_its_first_line() {
        let listed = "a warning\nccache version 4.7.5\nFeatures: file-storage\n";
        assert_eq!(contents(listed).ccache.as_deref(), Some("4.7.5"));
    }

    #[test]
    fn an_answer_from_before_ccache_was_asked_for_is_none() {
        let recalled = |text: &str| serde_json::from_str::<Contents>(text);
        assert!(recalled(r#"{"build": {"cp312-cp312": "1.6.1"}}"#).is_err());
        assert_eq!(recalled(r#"{"build": {}, "ccache": null}"#).unwrap().ccache, None);
    }
}
