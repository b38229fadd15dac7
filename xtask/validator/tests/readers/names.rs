//! Every counter that a ccache from 3.7 to 4.13 prints, and what it stands for. This is written a
//! second time on purpose: `counts::kind_of` is what is tested with it.

use ccache_validator::counts::Kind;

/// The versions that have a fixture, oldest first.
pub(crate) const VERSIONS: [&str; 6] = ["3.7", "4.0", "4.4", "4.7", "4.10", "4.13"];

/// Counters of one kind, and the first and last of [`VERSIONS`] that print them.
pub(crate) struct Group {
    first: &'static str,
    last: &'static str,
    pub(crate) kind: Kind,
    pub(crate) names: &'static [&'static str],
}

impl Group {
    /// Whether `version`, one of [`VERSIONS`], prints these.
    pub(crate) fn is_in(&self, version: &str) -> bool {
        let position = |wanted: &str| VERSIONS.iter().position(|it| *it == wanted).unwrap();
        (position(self.first)..=position(self.last)).contains(&position(version))
    }
}

const fn since(first: &'static str, kind: Kind, names: &'static [&'static str]) -> Group {
    Group { first, last: "4.13", kind, names }
}

pub(crate) static GROUPS: [Group; 17] = [
    since("3.7", Kind::DirectHit, &["direct_cache_hit"]),
    since("3.7", Kind::PreprocessedHit, &["preprocessed_cache_hit"]),
    since("3.7", Kind::Miss, &["cache_miss"]),
    since(
        "3.7",
        Kind::NotCompilation,
        &["called_for_link", "called_for_preprocessing", "no_input_file"],
    ),
    since(
        "3.7",
        Kind::Uncacheable,
        &[
            "autoconf_test",
            "bad_compiler_arguments",
            "compile_failed",
            "compiler_produced_empty_output",
            "compiler_produced_no_output",
            "compiler_produced_stdout",
            "could_not_use_precompiled_header",
            "multiple_source_files",
            "output_to_stdout",
            "preprocessor_error",
            "unsupported_code_directive",
            "unsupported_compiler_option",
            "unsupported_source_language",
        ],
    ),
    since("4.0", Kind::Uncacheable, &["could_not_use_modules"]),
    since("4.4", Kind::Uncacheable, &["recache"]),
    since("4.7", Kind::Uncacheable, &["unsupported_environment_variable"]),
    since("4.10", Kind::Uncacheable, &["disabled"]),
    since("4.13", Kind::Uncacheable, &["unsupported_source_encoding"]),
    since(
        "3.7",
        Kind::Error,
        &[
            "bad_output_file",
            "compiler_check_failed",
            "could_not_find_compiler",
            "error_hashing_extra_file",
            "internal_error",
            "missing_cache_file",
        ],
    ),
    since("4.10", Kind::Error, &["bad_input_file", "modified_input_file"]),
    // None of the rest tells how a compilation ended.
    since(
        "3.7",
        Kind::Other,
        &[
            "cache_size_kibibyte",
            "cleanups_performed",
            "files_in_cache",
            "stats_updated_timestamp",
            "stats_zeroed_timestamp",
        ],
    ),
    // A step on the way: after a direct miss the preprocessed mode may still hit.
    since("4.4", Kind::Other, &["direct_cache_miss", "preprocessed_cache_miss"]),
    // Traffic with the storages, which had other names at first.
    Group {
        first: "4.4",
        last: "4.4",
        kind: Kind::Other,
        names: &[
            "primary_storage_hit",
            "primary_storage_miss",
            "secondary_storage_error",
            "secondary_storage_hit",
            "secondary_storage_miss",
            "secondary_storage_timeout",
        ],
    },
    since(
        "4.7",
        Kind::Other,
        &[
            "local_storage_hit",
            "local_storage_miss",
            "local_storage_read_hit",
            "local_storage_read_miss",
            "local_storage_write",
            "remote_storage_error",
            "remote_storage_hit",
            "remote_storage_miss",
            "remote_storage_read_hit",
            "remote_storage_read_miss",
            "remote_storage_timeout",
            "remote_storage_write",
        ],
    ),
    since("4.10", Kind::Other, &["max_cache_size_kibibyte", "max_files_in_cache"]),
];

/// Names that no fixture has: of a table for 3.7 that others published, of ccache's development,
/// and of the time before `--print-stats`.
pub(crate) const ELSEWHERE: [(&str, Kind); 5] = [
    ("output_to_a_non_file", Kind::Uncacheable),
    ("could_not_use_clang_modules", Kind::Uncacheable),
    ("could_not_use_cxx_modules", Kind::Uncacheable),
    ("cache_hit_direct", Kind::DirectHit),
    ("cache_hit_preprocessed", Kind::PreprocessedHit),
];

/// All counters of the fixtures, with what they stand for.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Kind)> {
    GROUPS.iter().flat_map(|group| group.names.iter().map(|name| (*name, group.kind)))
}

/// What the counter `name` stands for; `None` for one that nobody has classified.
pub(crate) fn known_kind(name: &str) -> Option<Kind> {
    all().find(|(known, _)| *known == name).map(|(_, kind)| kind)
}
