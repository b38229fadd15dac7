//! The lines of the cache.

use std::io::ErrorKind::{
    self, NotADirectory, Other, PermissionDenied, ReadOnlyFilesystem, StorageFull,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::*;
use crate::doctor::facts::{CacheFolder, Refusal, Written};

fn folder() -> CacheFolder {
    CacheFolder {
        path: "/c/cache".into(),
        standing: "/c/cache".into(),
        is_foreign: false,
        written: Ok(Written { at_seconds: Some(NOW), ignores_case: false }),
        file_system: Some("ext4".to_owned()),
    }
}

#[test]
fn a_cache_folder_is_writable_or_the_command_that_makes_it_so_is_named() {
    let of = |path: &str, kind: ErrorKind, is_foreign| {
        let path = Utf8PathBuf::from(path);
        let refusal = Refusal { path, kind, words: "words".to_owned() };
        cache::folder(&CacheFolder { is_foreign, written: Err(refusal), ..folder() })
    };
    for (path, kind, is_foreign, remedy) in [
        ("/c/cache", PermissionDenied, false, "    chmod -R u+rwX /c/cache"),
        (
            "/c/cache/a",
            PermissionDenied,
            true,
            "    sudo chown -R \"$(id -u):$(id -g)\" /c/cache\n",
        ),
        (
            "/c",
            PermissionDenied,
            true,
            "    sudo install -d -o \"$(id -u)\" -g \"$(id -g)\" /c/cache",
        ),
        ("/c", PermissionDenied, false, "    chmod u+rwx /c\n"),
        ("/c", NotADirectory, true, "    mv /c /c.old"),
        ("/c/cache", ReadOnlyFilesystem, true, "--ccache-dir"),
        ("/c/cache", StorageFull, true, "make room"),
        ("/c/cache", Other, true, "choose another with --ccache-dir"),
    ] {
        bad(&of(path, kind, is_foreign), "/c/cache cannot be written", remedy);
    }
    is(&cache::folder(&folder()), State::Ok, "/c/cache can be written", "");
    let new = CacheFolder { standing: "/c".into(), ..folder() };
    is(&cache::folder(&new), State::Ok, "is not there yet, and can be made", "");
    let hung = cache::unanswered(Utf8Path::new("/c"), "no answer within 10 s");
    is(&hung, State::Unknown, "/c: no answer", "file server");
}

#[test]
fn settings_under_which_nothing_is_cached_are_named() {
    let of = |variables: &[(&str, &str)]| {
        let owned = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        cache::settings(&owned.collect())
    };
    is(&of(&[]), State::Ok, "none of your own", "");
    let fine = [
        ("CCACHE_DIR", "/c"),
        ("CCACHE_MAXFILES", "0"),
        ("CCACHE_NOHASHDIR", "1"),
        ("CCACHE_NODISABLE", "1"),
        ("CCACHE_BASEDIR", "/src"),
        ("CCACHE_HARDLINK", ""),
    ];
    is(&of(&fine), State::Ok, "6 of your own, none of which is in the way", "");
    for (name, value, found) in [
        ("CCACHE_DISABLE", "", "CCACHE_DISABLE is set"),
        ("CCACHE_RECACHE", "1", "CCACHE_RECACHE is set"),
        ("CCACHE_READONLY_DIRECT", "1", "nothing is found or stored"),
        ("CCACHE_NOHASHDIR", "0", "CCACHE_NOHASHDIR=0 is an error"),
        ("CCACHE_DIRECT", "False", "any other value means yes"),
        ("CCACHE_BASEDIR", "src", "not absolute"),
    ] {
        bad(&of(&[(name, value)]), found, &format!("    unset {name}"));
    }
    let two = of(&[("CCACHE_DISABLE", "1"), ("CCACHE_STATS", "no")]);
    bad(&two, "; CCACHE_STATS=no", "    unset CCACHE_DISABLE CCACHE_STATS");
    assert_eq!(two.weight, Weight::Stops(Class::Cache));
}

#[test]
fn a_cache_has_room_for_what_is_stored() {
    bad(&cache::size("5M", None), "at most 5 MB", "    export CCACHE_MAXSIZE=10G");
    bad(&cache::size("much", None), "CCACHE_MAXSIZE is \"much\"", "    export CCACHE_MAXSIZE=10G");
    is(&cache::size("10G", None), State::Ok, "at most 10.0 GB", "");
    is(&cache::size("0", Some(1)), State::Ok, "without a bound", "");
    is(&cache::size("10G", Some(1_000_000_000)), State::Ok, "1.0 GB of at most 10.0 GB", "");
    is(&cache::size("10G", Some(9_500_000_000)), State::Ok, "9.5 GB of", "a larger");
}

#[test]
fn file_systems_that_are_slow_or_odd_are_told() {
    let of = |kind: Option<&str>, ignores_case| {
        let written = Ok(Written { at_seconds: None, ignores_case });
        let file_system = kind.map(ToOwned::to_owned);
        cache::file_system(&CacheFolder { written, file_system, ..folder() })
    };
    is(&of(Some("ext4"), false), State::Ok, "ext4", "");
    is(&of(Some("nfs4"), false), State::Ok, "nfs4, over a network", "--ccache-dir");
    is(&of(Some("fuse.sshfs"), true), State::Ok, "same name", "--ccache-dir");
    is(&of(Some("apfs"), true), State::Ok, "apfs, which takes `a` and `A`", "");
    is(&of(None, false), State::Unknown, "does not tell", "");
    is(&of(None, true), State::Ok, "of unknown kind, which", "");
}
