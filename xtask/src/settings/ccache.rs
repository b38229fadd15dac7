//! Which ccache builds in containers use, and where the pinned one comes from.

use std::time::Duration;

use anyhow::Result;
use camino::Utf8Path;

use super::Table;
use crate::cli::{self, ReleaseWheels};
use crate::environment::Environment;
use crate::fault::Fault;
use crate::pins::Release;

/// The variable behind `--ccache`.
const WHICH: &str = "WARMWHEEL_CCACHE";
/// How long fetching may take in all, in seconds.
const FETCH_SECONDS: &str = "WARMWHEEL_FETCH_SECONDS";
/// Two megabytes, on a slow line.
const DEFAULT_FETCH_SECONDS: u64 = 60;

/// Which ccache is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Ccache {
    /// Which.
    pub(crate) which: cli::Ccache,
    /// Who says so; `None` for the default.
    pub(crate) origin: Option<String>,
    /// The folder that takes the place of the release's own address.
    pub(crate) mirror: Option<String>,
    /// The release that the package has pinned in place of ours.
    pub(crate) release: Option<Release>,
    /// How long fetching may take in all.
    pub(crate) limit: Duration,
}

impl Ccache {
    /// Resolves flags and table.
    ///
    /// # Errors
    /// An address or a limit that is none.
    pub(super) fn resolve(
        flags: &ReleaseWheels,
        table: &Table,
        environment: &Environment,
    ) -> Result<Self> {
        let origin = match (flags.ccache, table.ccache) {
            (Some(which), _) if environment.get(WHICH) == Some(which.word()) => Some(WHICH),
            (Some(_), _) => Some("--ccache"),
            (None, Some(_)) => Some("[tool.warmwheel]"),
            (None, None) => None,
        };
        let mirror = flags.ccache_mirror.as_ref().or(table.ccache_mirror.as_ref());
        if let Some(mirror) = mirror {
            check_address(mirror, "ccache-mirror")?;
        }
        Ok(Self {
            which: flags.ccache.or(table.ccache).unwrap_or_default(),
            origin: origin.map(ToOwned::to_owned),
            mirror: mirror.cloned(),
            release: table.ccache_release.clone(),
            limit: limit(environment)?,
        })
    }
}

fn limit(environment: &Environment) -> Result<Duration> {
    let Some(text) = environment.get(FETCH_SECONDS) else {
        return Ok(Duration::from_secs(DEFAULT_FETCH_SECONDS));
    };
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err(Fault::usage(
            format!("{FETCH_SECONDS} is {text:?}"),
            "give a number of seconds from 1 to 3600",
        )),
    }
}

/// Refuses what cannot be asked for, and what would be shown though it is secret.
fn check_address(address: &str, name: &str) -> Result<()> {
    let refused = |what: &str, remedy: &str| {
        // It may hold a password, so it is not shown.
        Err(Fault::usage(format!("{name} is {what}"), remedy))
    };
    let rest = ["https://", "http://", "file:///"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme))
        .filter(|rest| !rest.is_empty());
    let Some(rest) = rest else {
        return refused(
            "no address",
            "write https://HOST/FOLDER, http://HOST/FOLDER or file:///FOLDER",
        );
    };
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"'`<>\\^{|}?#".contains(c);
    if !address.chars().all(is_plain) {
        return refused(
            "an address with other characters than a folder's has",
            "name the folder that holds the archive, without a query and with %20 for a space",
        );
    }
    if rest.split('/').next().is_some_and(|host| host.contains('@')) {
        return refused(
            "an address with a name or a password in it",
            "addresses are shown in plans and logs; let the server do without, or fetch the \
             archive beforehand and name its folder as file:///FOLDER",
        );
    }
    Ok(())
}

/// Refuses a pin that could not be what it says. The version is a part of file names.
///
/// # Errors
/// A version, an address or a hash that is none.
pub(super) fn check_release(release: &Release, file: &Utf8Path) -> Result<()> {
    let is_plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
    };
    let is_hash = |text: &str| {
        text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let table = "[tool.warmwheel.ccache-release]";
    let Release { version, address, sha256 } = release;
    if !is_plain(version) {
        return Err(Fault::usage(
            format!("{file}: {table} has the version {version:?}"),
            "write it as in the archive's name, such as 4.14.1",
        ));
    }
    for (platform, hash) in sha256 {
        if !is_plain(platform) || !is_hash(hash) {
            return Err(Fault::usage(
                format!("{file}: {table} has sha256.{platform} = {hash:?}"),
                format!(
                    "give the archive's SHA-256 in lower-case hexadecimal, under a name such as {}",
                    Release::platform("x86_64")
                ),
            ));
        }
    }
    check_address(address, &format!("{file}: {table}: address"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::fault::{class_of, explain};
    use crate::pins::Pins;

    const FILE: &str = "pyproject.toml";

    fn resolve(
        arguments: &[&str],
        table: &str,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Ccache> {
        let line = ["xtask", "release-wheels"].iter().chain(arguments);
        let Command::ReleaseWheels(flags) = Cli::parse_from(line).command else { unreachable!() };
        let table = format!("[tool.warmwheel]\n{table}\n");
        let table = Table::read(&table.parse().unwrap(), Utf8Path::new(FILE))?;
        let variables = variables.iter().map(|&(n, v)| (n.to_owned(), v.to_owned()));
        Ccache::resolve(&flags, &table, &variables.collect())
    }

    #[test]
    fn who_has_chosen_is_told() {
        let of = |arguments: &[&str], table| {
            let ccache = resolve(arguments, table, &[]).unwrap();
            (ccache.which, ccache.origin)
        };
        assert_eq!(of(&[], ""), (cli::Ccache::Auto, None));
        let told = |which, origin: &str| (which, Some(origin.to_owned()));
        let in_table = "ccache = 'package'";
        assert_eq!(of(&[], in_table), told(cli::Ccache::Package, "[tool.warmwheel]"));
        let by_flag = of(&["--ccache", "image"], in_table);
        assert_eq!(by_flag, told(cli::Ccache::Image, "--ccache"));
        // The variable reaches the flag through the command line's parser.
        let by_variable = resolve(&["--ccache", "image"], "", &[(WHICH, "image")]).unwrap();
        assert_eq!(by_variable.origin.as_deref(), Some(WHICH));
    }

    #[test]
    fn a_mirror_is_an_address_that_can_be_shown() {
        for good in
            ["https://mirror.example/ccache", "http://127.0.0.1:8080", "file:///srv/ccache/"]
        {
            let ccache = resolve(&["--ccache-mirror", good], "", &[]).unwrap();
            assert_eq!(ccache.mirror.as_deref(), Some(good));
        }
        for bad in [
            "/srv/ccache",
            "file://srv",
            "ftp://mirror.example/x",
            "https://",
            "https://a b",
            "https://host/x?token=1",
            "https://me:secret@host/x",
        ] {
            let error = resolve(&["--ccache-mirror", bad], "", &[]).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{bad}");
            assert!(!explain(&error).contains("secret"), "{}", explain(&error));
        }
    }

    #[test]
    fn a_limit_is_a_number_of_seconds() {
        let limit = |text| resolve(&[], "", &[(FETCH_SECONDS, text)]).map(|it| it.limit);
        assert_eq!(limit("90").unwrap(), Duration::from_secs(90));
        assert_eq!(limit("").unwrap(), Duration::from_secs(DEFAULT_FETCH_SECONDS));
        for wrong in ["0", "3601", "-1", "1.5", "long"] {
            assert_eq!(class_of(&limit(wrong).unwrap_err()).exit_code(), 2, "{wrong}");
        }
    }

    fn own(version: &str, address: &str, platform: &str, hash: &str) -> String {
        format!(
            "[tool.warmwheel.ccache-release]\nversion = '{version}'\naddress = '{address}'\n\
             sha256 = {{ {platform} = '{hash}' }}"
        )
    }

    #[test]
    fn a_package_can_pin_another_release() {
        let hash = "0f".repeat(32);
        let good = own("4.15", "https://x.example/y", "linux-x86_64-musl-static", &hash);
        let release = resolve(&[], &good, &[]).unwrap().release.unwrap();
        assert_eq!(
            release.name("linux-x86_64-musl-static"),
            "ccache-4.15-linux-x86_64-musl-static"
        );
        for bad in [
            own("../4", "https://x.example/y", "linux", &hash),
            own("", "https://x.example/y", "linux", &hash),
            own("4.15", "x.example/y", "linux", &hash),
            own("4.15", "https://x.example/y", "linux", "0f"),
            own("4.15", "https://x.example/y", "linux", &hash.to_uppercase()),
            own("4.15", "https://x.example/y", "'../x'", &hash),
            "ccache-release = 3".to_owned(),
            "ccache-release = { version = '1' }".to_owned(),
        ] {
            let error = resolve(&[], &bad, &[]).unwrap_err();
            assert_eq!(class_of(&error).exit_code(), 2, "{bad}");
        }
    }

    #[test]
    fn our_own_pin_is_one_that_a_package_could_have() {
        let release = Pins::built_in().unwrap().ccache.release;
        check_release(&release, Utf8Path::new(FILE)).unwrap();
        for architecture in ["x86_64", "aarch64"] {
            assert!(release.sha256.contains_key(&Release::platform(architecture)));
        }
        assert!(release.address.ends_with(&release.version));
    }
}
