//! The cache folder: whether it can be written, its size, and what it stands on.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use camino::Utf8Path;

use crate::doctor::facts::{CacheFolder, Refusal};
use crate::doctor::{Check, Weight};
use crate::fault::Class;
use crate::text::quote;

/// What of a run's goes to the cache folder.
pub(crate) const WHAT: &str = "the cache";
/// What cannot be written proves nothing.
const STOPS: Weight = Weight::Stops(Class::Cache);
/// A smaller cache may have lost what one version left before the next one asks for it, in bytes.
const SMALL_BYTES: u64 = 256 * 1000 * 1000;
/// What a run adds to a cache at most, as far as anybody can tell: the objects of a large package, for
/// a few versions, in bytes.
const ADDED_BYTES: u64 = 1000 * 1000 * 1000;
/// Settings that are on or off, by the ends of their variables' names; `NO` in front turns them around.
const SWITCHES: [&str; 18] = [
    "ABSSTDERR",
    "COMMENTS",
    "COMPRESS",
    "CPP2",
    "DEBUG",
    "DEPEND",
    "DIRECT",
    "DISABLE",
    "FILECLONE",
    "HARDLINK",
    "HASHDIR",
    "INODECACHE",
    "READONLY",
    "READONLY_DIRECT",
    "RECACHE",
    "REMOTE_ONLY",
    "RESHARE",
    "STATS",
];
/// What people write to turn something off, which ccache refuses.
const OFF: [&str; 4] = ["0", "disable", "false", "no"];
/// Those of them under which builds prove nothing.
const IDLE: [&str; 4] = ["DISABLE", "READONLY", "READONLY_DIRECT", "RECACHE"];
/// File systems that other machines have a part in.
const NETWORKS: [&str; 19] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "drvfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "prl_fs",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
    "wekafs",
];

/// Nothing can be said of any folder, for want of an answer.
pub(crate) fn unanswered(path: &Utf8Path, why: &str) -> Check {
    let remedy =
        "see whether the file server behind it is there, or name another with --ccache-dir";
    Check::unknown("cache folder", format!("{path}: {why}"), remedy)
}

/// Whether the folder is there or can be made, and everything in it can be written by its user.
pub(crate) fn folder(folder: &CacheFolder) -> Check {
    const NAME: &str = "cache folder";
    let path = &folder.path;
    let Err(Refusal { path: refused, kind, words }) = &folder.written else {
        let is_there = folder.standing == *path;
        let found = if is_there { "can be written" } else { "is not there yet, and can be made" };
        return Check::ok(NAME, format!("{path} {found}"));
    };
    let what_else = "or name another with --ccache-dir";
    let is_inside = refused.starts_with(path);
    let (refused_word, path_word) = (quote(refused.as_str()), quote(path.as_str()));
    let remedy = match (kind, folder.is_foreign, is_inside) {
        (ErrorKind::NotADirectory, ..) => format!(
            "something else stands in its place: move it away\n    mv {refused_word} \
             {refused_word}.old\n{what_else}"
        ),
        (ErrorKind::ReadOnlyFilesystem, ..) => {
            "name another that can be written with --ccache-dir".to_owned()
        }
        (ErrorKind::StorageFull, ..) => {
            "make room there, or name another place with --ccache-dir".to_owned()
        }
        (ErrorKind::PermissionDenied, true, true) => format!(
            "it is another user's, as root's containers leave it\n    \
             sudo chown -R \"$(id -u):$(id -g)\" {path_word}\n{what_else}"
        ),
        (ErrorKind::PermissionDenied, true, false) => format!(
            "have it made for you\n    \
             sudo install -d -o \"$(id -u)\" -g \"$(id -g)\" {path_word}\n{what_else}"
        ),
        (ErrorKind::PermissionDenied, false, true) => {
            format!("let its user write\n    chmod -R u+rwX {path_word}\n{what_else}")
        }
        (ErrorKind::PermissionDenied, false, false) => {
            format!("let its user write\n    chmod u+rwx {refused_word}\n{what_else}")
        }
        _ => "make the cache folder writable, or choose another with --ccache-dir".to_owned(),
    };
    let what = if refused == path { String::new() } else { format!(": {refused}") };
    Check::bad(NAME, STOPS, format!("{path} cannot be written{what}: {words}"), remedy)
}

/// The user's own settings of ccache's, which builds get: `variables` are those whose names begin with
/// `CCACHE_`.
pub(crate) fn settings(variables: &BTreeMap<String, String>) -> Check {
    const NAME: &str = "ccache settings";
    let wrong =
        variables.iter().filter_map(|(name, value)| Some((objection(name, value)?, &**name)));
    let (found, names): (Vec<_>, Vec<_>) = wrong.unzip();
    if found.is_empty() {
        let found = match variables.len() {
            0 => "none of your own".to_owned(),
            number => format!("{number} of your own, none of which is in the way"),
        };
        return Check::ok(NAME, found);
    }
    let remedy = format!("take it back\n    unset {}", names.join(" "));
    Check::bad(NAME, STOPS, found.join("; "), remedy)
}

/// What is wrong with a setting of ccache's.
fn objection(name: &str, value: &str) -> Option<String> {
    let bare = name.strip_prefix("CCACHE_")?;
    let positive = bare.strip_prefix("NO").unwrap_or(bare);
    let is_switch = SWITCHES.contains(&bare) || SWITCHES.contains(&positive);
    if is_switch && OFF.contains(&value.to_lowercase().as_str()) {
        Some(format!("{name}={value} is an error to ccache, for which any other value means yes"))
    } else if IDLE.contains(&bare) {
        Some(format!("{name} is set, so that nothing is found or stored"))
    } else if bare == "BASEDIR" && !value.is_empty() && !value.starts_with('/') {
        Some(format!("{name} is not absolute, which is an error to ccache"))
    } else {
        None
    }
}

/// How much it may hold (`maxsize`, as ccache reads it), and how much it does where that was looked at.
pub(crate) fn size(maxsize: &str, held_bytes: Option<u64>) -> Check {
    const NAME: &str = "cache size";
    let shown = super::size;
    let Some(most) = bytes_of(maxsize) else {
        return Check::bad(
            NAME,
            Weight::Warns,
            format!("CCACHE_MAXSIZE is {maxsize:?}, which is no size"),
            "give it a number with k, M, G or T\n    export CCACHE_MAXSIZE=10G",
        );
    };
    if most == 0 {
        return Check::ok(NAME, "without a bound");
    }
    if most < SMALL_BYTES {
        return Check::bad(
            NAME,
            Weight::Warns,
            format!(
                "at most {}: what one version leaves may be gone before the next one looks for it",
                shown(most)
            ),
            "let it be larger\n    export CCACHE_MAXSIZE=10G",
        );
    }
    let Some(held) = held_bytes else { return Check::ok(NAME, format!("at most {}", shown(most))) };
    let check = Check::ok(NAME, format!("{} of at most {}", shown(held), shown(most)));
    if held > most / 10 * 9 {
        check.advising(
            "it is full, so that old results make way for new ones; a larger \
             CCACHE_MAXSIZE keeps more",
        )
    } else {
        check
    }
}

/// What a run may add to it, in bytes.
pub(crate) fn added_bytes(maxsize: &str, held_bytes: u64) -> u64 {
    match bytes_of(maxsize) {
        None | Some(0) => ADDED_BYTES,
        Some(most) => most.saturating_sub(held_bytes).min(ADDED_BYTES),
    }
}

/// A size as ccache reads it: a number, and `k`, `M`, `G` or `T` in thousands, or with an `i` behind it
/// in 1024s; without any of them `G`. 0 is no bound.
fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|one: char| !(one.is_ascii_digit() || one == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim();
    let unit = unit.strip_suffix('B').unwrap_or(unit);
    let factor: f64 = match unit {
        "k" | "K" => 1e3,
        "M" => 1e6,
        "" | "G" => 1e9,
        "T" => 1e12,
        "ki" | "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and the largest number will do for larger ones"
    )]
    Some((number * factor) as u64)
}

/// What it stands on.
pub(crate) fn file_system(folder: &CacheFolder) -> Check {
    const NAME: &str = "file system";
    let ignores_case = folder.written.as_ref().is_ok_and(|written| written.ignores_case);
    let case = if ignores_case { ", which takes `a` and `A` for the same name" } else { "" };
    let Some(kind) = &folder.file_system else {
        return if ignores_case {
            Check::ok(NAME, format!("of unknown kind{case}"))
        } else {
            Check::unknown(NAME, "this system does not tell its kind", "")
        };
    };
    let is_network = NETWORKS.contains(&kind.as_str()) || kind.starts_with("fuse.");
    if !is_network {
        return Check::ok(NAME, format!("{kind}{case}"));
    }
    let found = format!("{kind}, over a network{case}");
    Check::ok(NAME, found).advising(
        "each compilation asks it for several files: a folder on a disk of this machine's is \
         faster (--ccache-dir)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_ccache_reads_them() {
        for (text, bytes) in [
            ("10G", Some(10_000_000_000)),
            ("10", Some(10_000_000_000)),
            ("1.5M", Some(1_500_000)),
            ("2Gi", Some(2_147_483_648)),
            ("500 MiB", Some(524_288_000)),
            ("5k", Some(5000)),
            ("1GB", Some(1_000_000_000)),
            ("0", Some(0)),
            ("", None),
            ("-1G", None),
            ("many", None),
            ("1X", None),
            ("1.2.3G", None),
        ] {
            assert_eq!(bytes_of(text), bytes, "{text}");
        }
    }

    #[test]
    fn a_run_adds_no_more_than_fits() {
        assert_eq!(added_bytes("10G", 0), ADDED_BYTES);
        assert_eq!(added_bytes("10G", 9_900_000_000), 100_000_000);
        assert_eq!(added_bytes("1G", 2_000_000_000), 0);
        assert_eq!(added_bytes("0", 2_000_000_000), ADDED_BYTES);
    }
}
