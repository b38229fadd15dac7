//! Things that are tried out: a container with a mounted folder, and the same file compiled at two places
//! through ccache.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use ccache_validator::inquiry::ARGUMENTS;
use tempfile::TempDir;

use super::facts::{Compiled, ContainerClock, Ownership, Reply, Trial};
use super::gather::now;
use super::room::standing;
use crate::cache::ownership;
use crate::environment::Environment;
use crate::image;
use crate::lab::Lab;
use crate::plan::facts::ImageQuestion;
use crate::plan::inside::{CONTAINER_CCACHE, ccache_variables};
use crate::process;
use crate::text::quote;

/// Two compilations of a small file.
const COMPILE_LIMIT: Duration = Duration::from_secs(20);
/// Starting a container, which on a busy machine takes a moment, and the same in it.
const CONTAINER_LIMIT: Duration = Duration::from_secs(40);
/// Where a container sees the folder.
const INSIDE: &str = "/host_ccache";
/// The file that a container leaves.
const LEFT: &str = "written";
/// The user's settings that would have a compilation leave something outside of the folder for it.
const LEAKS: [&str; 6] = [
    "CCACHE_DEBUG",
    "CCACHE_DEBUGDIR",
    "CCACHE_LOGFILE",
    "CCACHE_REMOTE_ONLY",
    "CCACHE_REMOTE_STORAGE",
    "CCACHE_SECONDARY_STORAGE",
];

/// What settings of the user's own are in force when something is compiled.
pub(super) struct Theirs<'a> {
    /// The environment.
    pub(super) environment: &'a Environment,
    /// The project's root.
    pub(super) project: &'a Utf8Path,
    /// The cache folder, which may hold settings of ccache's as well.
    pub(super) ccache_dir: &'a Utf8Path,
}

impl Theirs<'_> {
    /// The names of the variables that ccache goes by.
    pub(super) fn variables(&self) -> Vec<String> {
        let names = self.environment.starting_with("CCACHE_").into_keys();
        names.filter(|name| name != "CCACHE_DIR" && !LEAKS.contains(&name.as_str())).collect()
    }

    /// A shell script that compiles the same file at two places below `work`, the second time as
    /// another build of the project would, and has ccache tell what came of it.
    fn script(&self, work: &str) -> String {
        let mut script = String::from(
            "for compiler in cc gcc clang none; do\n    \
                 command -v \"$compiler\" >/dev/null 2>&1 && break\n\
             done\n\
             echo \"compiler $compiler\"\n\
             command -v ccache >/dev/null 2>&1 || exit 0\n",
        );
        // Writing to a String cannot fail.
        let _ = writeln!(script, "unset {}", LEAKS.join(" "));
        for place in ["one", "two"] {
            let folder = format!("{work}/{place}");
            for (name, value) in self.values(work, &folder) {
                let _ = writeln!(script, "export {name}={}", quote(&value));
            }
            let (folder, complaint) = (quote(&folder), quote(&format!("{work}/complaint")));
            let _ = writeln!(
                script,
                "mkdir -p {folder}/source {folder}/build\n\
                 echo '#define ANSWER 42' >{folder}/source/probe.h\n\
                 echo '#include \"probe.h\"' >{folder}/source/probe.c\n\
                 echo 'int answer(void) {{ return ANSWER; }}' >>{folder}/source/probe.c\n\
                 [ \"$compiler\" = none ] || (cd {folder}/build && ccache \"$compiler\" -g -O1 \
                 -I{folder}/source -c {folder}/source/probe.c -o probe.o) >{complaint} 2>&1 ||\n    \
                 sed 's/^/complaint /' {complaint}"
            );
        }
        let _ = writeln!(script, "echo told\nccache {} 2>&1\nexit 0", ARGUMENTS.join(" "));
        script
    }

    /// What ccache is told at `folder`: as in a build, but with a cache of its own.
    fn values(&self, work: &str, folder: &str) -> impl Iterator<Item = (String, String)> + use<> {
        let mut values = ccache_variables(folder, self.project, self.environment);
        for (name, within) in [("DIR", "cache"), ("TEMPDIR", "tmp"), ("STATSLOG", "statslog")] {
            values.insert(format!("CCACHE_{name}"), format!("{work}/{within}"));
        }
        values.into_iter().filter(|(name, _)| !LEAKS.contains(&name.as_str()))
    }

    /// The same with settings of the script's cache said to be where they come from.
    fn renamed(&self, compiled: Compiled, work: &str) -> Compiled {
        let (laid, own) = (format!("{work}/cache/"), format!("{}/", self.ccache_dir));
        let told = compiled.told.map(|told| told.replace(&laid, &own));
        Compiled { told, ..compiled }
    }

    /// Lays the cache folder's own settings, where there are any, where the script's cache will be.
    fn lay_settings(&self, work: &Utf8Path) -> Result<(), String> {
        let cache = work.join("cache");
        fs::create_dir_all(&cache).map_err(|error| format!("cannot make {cache}: {error}"))?;
        let settings = self.ccache_dir.join("ccache.conf");
        if settings.is_file() {
            fs::copy(&settings, cache.join("ccache.conf"))
                .map_err(|error| format!("cannot read {settings}: {error}"))?;
        }
        Ok(())
    }
}

/// Compiles on this machine.
///
/// # Errors
/// Why that could not be tried.
pub(super) fn here(theirs: &Theirs<'_>) -> Result<Compiled, String> {
    let shell = theirs.environment.find_program("sh").filter(|_| !cfg!(windows));
    let Some(shell) = shell else {
        return Err("there is no shell here to try it with".to_owned());
    };
    let (_folder, work) = scratch(None)?;
    theirs.lay_settings(&work)?;
    let mut command = process::command(shell);
    command.arg("-s").current_dir(&work);
    let script = theirs.script(work.as_str());
    match process::reply_to_input(command, script.as_bytes(), COMPILE_LIMIT) {
        Reply::Said(text) => Ok(theirs.renamed(compiled(&text), work.as_str())),
        Reply::Refused(words) | Reply::Silent(words) => Err(words),
    }
}

/// Runs a container of the image with a folder mounted that lies where the cache does.
/// The folder of a `pinned` ccache is mounted as well, and comes first in `PATH`.
pub(super) fn container(
    question: &ImageQuestion,
    lab: Option<&Lab>,
    theirs: &Theirs<'_>,
    pinned: Option<&Utf8Path>,
) -> Trial {
    let tried =
        scratch(Some(theirs.ccache_dir)).or_else(|_| scratch(None)).and_then(|(folder, root)| {
            theirs.lay_settings(&root.join("work"))?;
            Ok((folder, root))
        });
    let (_folder, root) = match tried {
        Ok(made) => made,
        Err(why) => return Trial { reply: Some(Reply::Silent(why)), ..Trial::default() },
    };
    let mount = format!("{root}:{INSIDE}");
    let pinned_mount = pinned.map(|folder| format!("{folder}:{CONTAINER_CCACHE}:ro"));
    let ahead = pinned.map(|_| format!("PATH={CONTAINER_CCACHE}:$PATH\n")).unwrap_or_default();
    let script = format!("{}{ahead}{}", opening(), theirs.script(&format!("{INSIDE}/work")));
    let (began, from_seconds) = (Instant::now(), now());
    let mounts: Vec<_> = pinned_mount.iter().chain([&mount]).map(String::as_str).collect();
    let command = image::shell(question, lab, &mounts, None);
    let reply = process::reply_to_input(command, script.as_bytes(), CONTAINER_LIMIT);
    let (elapsed, to_seconds) = (began.elapsed(), now());
    let mut trial = reply.said().map(read).unwrap_or_default();
    trial.compiled = theirs.renamed(trial.compiled, &format!("{INSIDE}/work"));
    if let Some(clock) = &mut trial.clock {
        clock.here = from_seconds..=to_seconds;
    }
    trial.elapsed_seconds = elapsed.as_secs_f64();
    trial.arrived = root.join(LEFT).is_file();
    trial.given_back = trial.arrived.then(|| {
        let as_root = |script: &str| Some(image::shell(question, lab, &[&mount], Some(script)));
        give_back(&root, as_root)
    });
    trial.reply = Some(reply);
    trial
}

/// Whether what a container has left is the user's, or can become theirs.
fn give_back(
    root: &Utf8Path,
    as_root: impl Fn(&str) -> Option<Command>,
) -> Result<Ownership, String> {
    let is_theirs = || ownership::is_theirs(root).map_err(|error| format!("{error:#}"));
    if is_theirs()? {
        return Ok(Ownership::Theirs);
    }
    ownership::repair(root, INSIDE, as_root).map_err(|error| format!("{error:#}"))?;
    if is_theirs()? {
        Ok(Ownership::GivenBack)
    } else {
        Err("its owner could not be changed".to_owned())
    }
}

/// A folder that goes with the first part: where `near` lies, or where temporary files do.
fn scratch(near: Option<&Utf8Path>) -> Result<(TempDir, Utf8PathBuf), String> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".warmwheel-doctor-");
    let made = match near {
        Some(near) => builder.tempdir_in(standing(near)),
        None => builder.tempdir(),
    };
    let folder = made.map_err(|error| format!("there is no place for a file: {error}"))?;
    let path = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_path_buf());
    let path = Utf8PathBuf::from_path_buf(path)
        .map_err(|_| "the folder for temporary files has a name that is not UTF-8".to_owned())?;
    Ok((folder, path))
}

/// What a container does before anything is compiled.
fn opening() -> String {
    format!(
        "echo \"clock $(date +%s)\"\n\
         echo free $(df -P -k / | tail -n 1)\n\
         if words=$( (echo x >{INSIDE}/{LEFT}) 2>&1 ); then echo written; \
         else echo \"refused $words\"; fi\n{}",
        image::LIST
    )
}

/// What a container has said.
fn read(text: &str) -> Trial {
    let said = |line: &str| match line.split_once(' ') {
        Some(("refused", words)) => Some(Err(words.to_owned())),
        _ => (line == "written").then_some(Ok(())),
    };
    let clock = |line: &str| {
        let at_seconds = line.strip_prefix("clock ")?.trim().parse().ok()?;
        Some(ContainerClock { at_seconds, here: at_seconds..=at_seconds })
    };
    // The name of the device, its size, what is used, what is free.
    let free = |line: &str| {
        let kibibytes: u64 = line.strip_prefix("free ")?.split_whitespace().nth(3)?.parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    Trial {
        written: text.lines().find_map(said),
        free_bytes: text.lines().find_map(free),
        clock: text.lines().find_map(clock),
        contents: image::contents(text),
        compiled: compiled(text),
        ..Trial::default()
    }
}

/// What the script has said.
fn compiled(text: &str) -> Compiled {
    let (before, told) = match text.split_once("\ntold\n") {
        Some((before, told)) => (before, Some(told.to_owned())),
        None => (text, None),
    };
    let compiler = before.lines().find_map(|line| line.strip_prefix("compiler "));
    let complaint: Vec<_> =
        before.lines().filter_map(|line| line.strip_prefix("complaint ")).collect();
    Compiled {
        compiler: compiler.filter(|name| *name != "none").map(ToOwned::to_owned),
        complaint: (!complaint.is_empty()).then(|| complaint.join("\n")),
        told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "clock 1800000000\nfree overlay 40 20 16 50% /\nwritten\n\
        /opt/python/cp312-cp312/lib/python3.12/site-packages/build-1.6.1.dist-info\n\
        ccache version 4.7.5\nFeatures: x\ncompiler cc\ntold\n\
        (default) disable = false\ndirect_cache_hit\t1\nccache version 4.7.5\n";

    #[test]
    fn what_a_container_says_is_taken_apart() {
        let trial = read(SAID);
        assert_eq!(trial.written, Some(Ok(())));
        assert_eq!(trial.free_bytes, Some(16 * 1024));
        assert_eq!(trial.clock.unwrap().at_seconds, 1_800_000_000);
        assert_eq!(trial.contents.build["cp312-cp312"], "1.6.1");
        assert_eq!(trial.contents.ccache.as_deref(), Some("4.7.5"));
        assert_eq!(trial.compiled.compiler.as_deref(), Some("cc"));
        assert!(trial.compiled.told.unwrap().starts_with("(default) disable"));

        let trial = read("refused sh: cannot create /host_ccache/written\ncompiler none\n");
        assert!(trial.written.unwrap().unwrap_err().starts_with("sh: cannot"));
        assert_eq!(trial.compiled, Compiled::default());
        assert_eq!(read(""), Trial::default());

        let failed = compiled("compiler gcc\ncomplaint a: b\ncomplaint c\ntold\nx\n");
        assert_eq!(failed.complaint.as_deref(), Some("a: b\nc"));
    }

    #[test]
    fn nothing_is_left_outside_and_the_users_choices_hold() {
        let variables = [
            ("CCACHE_REMOTE_STORAGE", "http://somewhere"),
            ("CCACHE_STATSLOG", "/home/me/log"),
            ("CCACHE_SLOPPINESS", "time_macros"),
            ("CCACHE_BASEDIR", "/src/sub dir"),
            ("CCACHE_DIR", "/home/me/cache"),
        ];
        let environment: Environment =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let theirs = Theirs {
            environment: &environment,
            project: Utf8Path::new("/src"),
            ccache_dir: Utf8Path::new("/home/me/cache"),
        };
        let script = theirs.script("/work");
        assert!(!script.contains("somewhere") && !script.contains("/home/me"), "{script}");
        assert!(script.contains("export CCACHE_SLOPPINESS=time_macros\n"), "{script}");
        assert!(script.contains("export CCACHE_BASEDIR='/work/one/sub dir'\n"), "{script}");
        assert!(script.contains("export CCACHE_BASEDIR='/work/two/sub dir'\n"), "{script}");
        assert!(script.contains("export CCACHE_NOHASHDIR=1\n"), "{script}");
        assert_eq!(theirs.variables(), ["CCACHE_BASEDIR", "CCACHE_SLOPPINESS", "CCACHE_STATSLOG"]);
    }
}
