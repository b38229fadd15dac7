//! The check before anything is compiled: is there a ccache that can do its work?

mod launcher;

use crate::answers::Version;
use crate::compilers::{self, Compilers};
use crate::environment::Environment;
use crate::error::Error;
use crate::inquiry::Inquiry;
use crate::obstacle::Obstacle;
use crate::process::{Ccache, Failure};
use crate::{files, ledger, links, remedy, state};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The record's file name inside the record folder.
pub const FILE_NAME: &str = "preflight.json";

/// Larger ones are none, in bytes.
const MAX_RECORD_BYTES: u64 = 64 * 1024;

/// `preflight`'s flags as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--links`.
    pub links: Option<PathBuf>,
    /// `--launcher`.
    pub launcher: Option<PathBuf>,
}

/// Everything that the check depends on, apart from ccache itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The folder to fill with compiler links.
    pub links: Option<PathBuf>,
    /// The program that is to stand in front of ccache, when one is.
    pub launcher: Option<PathBuf>,
    /// `CCACHE_DIR`.
    pub ccache_dir: Option<PathBuf>,
    /// The folder shared with the host, when there is one.
    pub record_dir: Option<PathBuf>,
    /// `CCACHE_DISABLE` is set, to whatever.
    pub is_disabled: bool,
    /// `CCACHE_STATSLOG` is set: builds have records of their own.
    pub has_statslog: bool,
    /// The value of PATH.
    pub search_path: OsString,
    /// The compilers that the build will call.
    pub compilers: Compilers,
    /// `CCACHE_BASEDIR`.
    pub base_dir: Option<String>,
}

impl Request {
    /// Puts together `flags` and `environment`.
    #[must_use]
    pub fn new(flags: Flags, environment: &Environment) -> Self {
        let path = |variable: &str| environment.get(variable).map(PathBuf::from);
        Self {
            links: flags.links,
            launcher: flags.launcher,
            ccache_dir: path("CCACHE_DIR"),
            record_dir: path("WARMWHEEL_RECORD_DIR"),
            is_disabled: environment.has("CCACHE_DISABLE"),
            has_statslog: environment.get("CCACHE_STATSLOG").is_some(),
            search_path: environment.get("PATH").unwrap_or_default().to_os_string(),
            compilers: compilers::find(environment),
            base_dir: environment.text("CCACHE_BASEDIR"),
        }
    }
}

/// A ccache that can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Its version: `4.7.5`.
    pub ccache_version: String,
    /// How many compiler links there are.
    pub links: usize,
    /// One line for people.
    pub line: String,
}

/// What kind of refusal it is, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// No ccache, or none that starts.
    Ccache,
    /// ccache is disabled or refuses to work, or its folder cannot be written.
    Cache,
    /// Something else: the record folder, the links.
    Unexpected,
}

impl Lack {
    /// The word for it in the record.
    fn word(self) -> &'static str {
        match self {
            Self::Ccache => "ccache",
            Self::Cache => "cache",
            Self::Unexpected => "unexpected",
        }
    }
}

/// Why nothing should be compiled yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub lack: Lack,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl Refusal {
    fn new(lack: Lack, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { lack, cause: cause.into(), remedy: remedy.into() }
    }

    fn obstacle(lack: Lack, obstacle: &Obstacle) -> Self {
        Self::new(lack, obstacle.cause(), obstacle.remedy())
    }
}

/// Runs every check, makes the links, and writes the record when there is a folder for it.
/// `program` is where `ccache` stands; `launcher` answers for the one that is requested.
///
/// # Errors
/// The first check that fails; it is on record when the record folder can be written.
pub fn preflight(
    request: &Request,
    ccache: &dyn Ccache,
    program: Option<&Path>,
    launcher: Option<&dyn Ccache>,
) -> Result<Ready, Refusal> {
    let checked = check(request, ccache, program, launcher);
    let record = match &checked {
        Ok(ready) => json!({
            "schema": 1,
            "ccache_version": ready.ccache_version,
            "links": ready.links,
            "compilers": request.compilers,
            "base_dir": request.base_dir,
        }),
        Err(refusal) => json!({
            "schema": 1,
            "lack": refusal.lack.word(),
            "cause": refusal.cause,
            "remedy": refusal.remedy,
        }),
    };
    let Some(folder) = &request.record_dir else { return checked };
    let path = folder.join(FILE_NAME);
    let written = files::write_whole(&path, format!("{record}\n").as_bytes())
        .map_err(|error| record_refused(&path, &error));
    // A check's own refusal says more than that it could not be recorded.
    checked.and_then(|ready| written.map(|()| ready))
}

fn record_refused(path: &Path, error: &std::io::Error) -> Refusal {
    let next = "make WARMWHEEL_RECORD_DIR a writable folder";
    Refusal::new(Lack::Unexpected, Error::io("cannot write", path, error, next).to_string(), next)
}

fn check(
    request: &Request,
    ccache: &dyn Ccache,
    program: Option<&Path>,
    launcher: Option<&dyn Ccache>,
) -> Result<Ready, Refusal> {
    let Some(program) = program else {
        return Err(Refusal::obstacle(Lack::Ccache, &Obstacle::Missing));
    };
    if request.is_disabled {
        let obstacle = Obstacle::Disabled("environment".to_owned());
        return Err(Refusal::obstacle(Lack::Cache, &obstacle));
    }
    let (inquiry, version) = ask(ccache, program)?;
    let counters_count = !request.has_statslog || !version.has_statslog();
    if let Some(obstacle) = Obstacle::in_settings(&inquiry, counters_count) {
        return Err(Refusal::obstacle(Lack::Cache, &obstacle));
    }
    let folder_shown = check_cache(request.ccache_dir.as_deref())?;
    if counters_count {
        // What stands in them is from before this build.
        ccache.ask(&["--zero-stats"]).map_err(refused)?;
    }
    if let Some(folder) = &request.record_dir {
        fs::create_dir_all(folder)
            .and_then(|()| files::prove_writable(folder))
            .map_err(|error| record_refused(folder, &error))?;
    }
    let mut line = format!("ccache {} ({}), cache {folder_shown}", version.text, program.display());
    let mut target = program;
    if let (Some(path), Some(answers)) = (&request.launcher, launcher) {
        launcher::check(path, answers)?;
        target = path;
        line = format!("{line}, launcher {}", path.display());
    }
    let mut count = 0;
    if let Some(folder) = &request.links {
        count = links::make(folder, &request.search_path, target).map_err(|error| {
            let next = "give --links a folder of its own that can be written";
            Refusal::new(Lack::Unexpected, error.to_string(), next)
        })?;
        line = format!("{line}, {count} compiler links in {}", folder.display());
    }
    Ok(Ready { ccache_version: version.text, links: count, line })
}

fn ask(ccache: &dyn Ccache, program: &Path) -> Result<(Inquiry, Version), Refusal> {
    let inquiry = Inquiry::ask(ccache).map_err(refused)?;
    let version = inquiry.version().ok_or_else(|| {
        let cause = format!("{} does not answer --version as ccache does", program.display());
        Refusal::new(Lack::Ccache, cause, "put the real ccache first on PATH")
    })?;
    Ok((inquiry, version))
}

fn refused(failure: Failure) -> Refusal {
    let lack = match failure {
        Failure::Refused(_) => Lack::Cache,
        Failure::Missing | Failure::CannotStart(_) => Lack::Ccache,
    };
    Refusal::obstacle(lack, &Obstacle::from(failure))
}

/// The cache folder in words, after it has been made and written to.
fn check_cache(folder: Option<&Path>) -> Result<String, Refusal> {
    let Some(folder) = folder else { return Ok("at ccache's default place".to_owned()) };
    if folder.is_relative() {
        let obstacle = Obstacle::RelativeFolder(folder.to_path_buf());
        return Err(Refusal::obstacle(Lack::Cache, &obstacle));
    }
    state::prepare(folder)
        .map_err(|error| Refusal::new(Lack::Cache, error.to_string(), remedy::UNWRITABLE))?;
    Ok(folder.display().to_string())
}

/// What preflight left in the record folder for the steps after it, on either side of the mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// ccache's version.
    pub version: Option<Version>,
    /// The compilers; none when there is no record.
    pub compilers: Compilers,
    /// `CCACHE_BASEDIR`.
    pub base_dir: Option<String>,
}

impl Recorded {
    /// Reads the record; what is not there or cannot be read is unknown.
    #[must_use]
    pub fn read(record_dir: Option<&Path>) -> Self {
        let read = |folder: &Path| -> Option<Value> {
            let text = files::read_bounded(&folder.join(FILE_NAME), MAX_RECORD_BYTES).ok()?;
            serde_json::from_str(&text).ok()
        };
        let Some(record) = record_dir.and_then(read) else { return Self::default() };
        let version = record.get("ccache_version").and_then(Value::as_str);
        let compilers = record.get("compilers").and_then(ledger::compilers_of);
        Self {
            version: version.and_then(Version::parse),
            compilers: compilers.unwrap_or_default(),
            base_dir: record.get("base_dir").and_then(Value::as_str).map(str::to_owned),
        }
    }

    /// Whether this ccache is known to keep a record of each build. Without a preflight it is taken
    /// to: every ccache of the last years does.
    #[must_use]
    pub fn counts_each_build(&self) -> bool {
        self.version.as_ref().is_none_or(Version::has_statslog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Scripted;

    const GOOD: &str = "(default) disable = false\n(default) stats = true\nccache version 4.7.5\n";

    fn good() -> Scripted {
        answering(GOOD)
    }

    fn answering(words: &str) -> Scripted {
        let zeroed = ("--zero-stats", Ok("Statistics zeroed\n".to_owned()));
        Scripted::new([("-p --print-stats --version", Ok(words.to_owned())), zeroed])
    }

    fn refused(request: &Request, ccache: &dyn Ccache) -> Refusal {
        preflight(request, ccache, Some(Path::new("/usr/bin/ccache")), None).unwrap_err()
    }

    #[test]
    fn a_good_ccache_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let request = Request {
            ccache_dir: Some(folder.path().join("new").join("cache")),
            record_dir: Some(folder.path().join("record")),
            ..Request::default()
        };
        let ready = preflight(&request, &good(), Some(Path::new("/usr/bin/ccache")), None).unwrap();
        assert_eq!((ready.ccache_version.as_str(), ready.links), ("4.7.5", 0));
        let text = fs::read_to_string(folder.path().join("record").join(FILE_NAME)).unwrap();
        let expected =
            r#"{"base_dir":null,"ccache_version":"4.7.5","compilers":{},"links":0,"schema":1}"#;
        assert_eq!(text.trim_end(), expected);
    }

    #[test]
    fn each_lack_has_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let missing = preflight(&Request::default(), &good(), None, None).unwrap_err();
        assert_eq!(missing.lack, Lack::Ccache);
        let disabled = Request { is_disabled: true, ..Request::default() };
        assert_eq!(refused(&disabled, &good()).lack, Lack::Cache);
        for cache in [file.clone(), PathBuf::from("relative")] {
            let request = Request { ccache_dir: Some(cache), ..Request::default() };
            assert_eq!(refused(&request, &good()).lack, Lack::Cache);
        }
        let record = Request { record_dir: Some(file), ..Request::default() };
        assert_eq!(refused(&record, &good()).lack, Lack::Unexpected);
        let table = [
            (Err(Failure::CannotStart("x".to_owned())), Lack::Ccache),
            (Err(Failure::Refused("x".to_owned())), Lack::Cache),
            (Ok("sccache 0.8".to_owned()), Lack::Ccache),
        ];
        for (answer, lack) in table {
            let ccache = Scripted::everything(answer);
            assert_eq!(refused(&Request::default(), &ccache).lack, lack);
        }
    }

    #[test]
    fn counters_are_zeroed_where_they_will_be_counted_from() {
        let old = GOOD.replace("4.7.5", "3.7.7");
        for (has_statslog, words, zeroed) in
            [(true, GOOD, false), (false, GOOD, true), (true, old.as_str(), true)]
        {
            let ccache = answering(words);
            let request = Request { has_statslog, ..Request::default() };
            preflight(&request, &ccache, Some(Path::new("/usr/bin/ccache")), None).unwrap();
            assert_eq!(ccache.asked().contains(&"--zero-stats".to_owned()), zeroed, "{words}");
        }
        let silent = answering(&GOOD.replace("stats = true", "stats = false"));
        assert_eq!(refused(&Request::default(), &silent).lack, Lack::Cache);
    }

    #[test]
    fn what_is_recorded_is_read_back_and_damage_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let compilers = Compilers::from([("C".to_owned(), "/usr/bin/gcc (1)".to_owned())]);
        let request = Request {
            record_dir: Some(folder.path().to_path_buf()),
            compilers: compilers.clone(),
            ..Request::default()
        };
        preflight(&request, &good(), Some(Path::new("/usr/bin/ccache")), None).unwrap();
        let recorded = Recorded::read(Some(folder.path()));
        assert_eq!(recorded.version.unwrap().text, "4.7.5");
        assert_eq!(recorded.compilers, compilers);
        for damaged in ["", "{", "[1]", r#"{"ccache_version":"x\ny"}"#, r#"{"compilers":{"C":1}}"#]
        {
            fs::write(folder.path().join(FILE_NAME), damaged).unwrap();
            assert_eq!(Recorded::read(Some(folder.path())), Recorded::default(), "{damaged}");
        }
    }

    #[test]
    fn a_refusal_is_recorded_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let request = Request {
            record_dir: Some(folder.path().to_path_buf()),
            is_disabled: true,
            ..Request::default()
        };
        refused(&request, &good());
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["cause"], "ccache is disabled (environment)");
        assert_eq!(value["remedy"], "unset CCACHE_DISABLE in the build's environment");
    }
}
