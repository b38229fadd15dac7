//! Which compilers a build calls: what makes two caches differ when nobody touched the sources.

use crate::environment::Environment;
use crate::programs;
use crate::state::fnv1a;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How much is read at each end of a compiler, in bytes. Executables carry the id of their build
/// near the start, and some are a hundred megabytes long.
const SAMPLE_BYTES: u64 = 64 * 1024;

/// Variable, name without it, for each language.
const LANGUAGES: [(&str, &str, &str); 2] = [("C", "CC", "cc"), ("C++", "CXX", "c++")];

/// Language → the compiler's real path and a hash of its length and both ends.
pub type Compilers = BTreeMap<String, String>;

/// The compilers that a build in `environment` calls: those that CC and CXX name, else `cc` and
/// `c++` in PATH. Links to ccache are looked through. A language without a compiler is left out.
#[must_use]
pub fn find(environment: &Environment) -> Compilers {
    let search_path = environment.get("PATH").unwrap_or_default();
    LANGUAGES
        .iter()
        .filter_map(|(language, variable, name)| {
            let path = named(environment.get(variable), search_path)
                .or_else(|| programs::find_compiler(name, search_path))?;
            let identity = identity(&path).ok()?;
            Some(((*language).to_owned(), identity))
        })
        .collect()
}

/// The compiler in a value such as `ccache gcc -pthread`: its first word that is not ccache or its
/// launcher. A link to them is looked through, too.
fn named(value: Option<&OsStr>, search_path: &OsStr) -> Option<PathBuf> {
    let value = value?.to_str()?;
    let is_ccache = |word: &&str| programs::is_named_ccache(Path::new(word));
    let path = Path::new(value.split_whitespace().find(|word| !is_ccache(word))?);
    let is_link = || fs::canonicalize(path).is_ok_and(|target| programs::is_named_ccache(&target));
    if path.components().count() > 1 && !is_link() {
        return Some(path.to_path_buf());
    }
    programs::find_compiler(path.file_name()?.to_str()?, search_path)
}

fn identity(path: &Path) -> io::Result<String> {
    let path = fs::canonicalize(path)?;
    let mut file = File::open(&path)?;
    let length = file.metadata()?.len();
    let mut sample = length.to_le_bytes().to_vec();
    file.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    if length > SAMPLE_BYTES {
        file.seek(SeekFrom::Start((length - SAMPLE_BYTES).max(SAMPLE_BYTES)))?;
        file.take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    }
    Ok(format!("{} ({:08x})", path.display(), fnv1a(&sample) >> 32))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn program(folder: &Path, name: &str, text: &[u8]) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn found(folder: &Path, variables: &[(&str, &str)]) -> Compilers {
        let path = std::env::join_paths([folder.join("links"), folder.to_path_buf()]).unwrap();
        let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), value.into()));
        find(&Environment::from_pairs(pairs.chain([("PATH".to_owned(), path)])))
    }

    #[test]
    fn compilers_are_looked_for_behind_ccache_and_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("links")).unwrap();
        let ccache = program(&root, "ccache", b"");
        symlink(&ccache, root.join("links/cc")).unwrap();
        let gcc = program(&root, "x86_64-linux-gnu-gcc-12", b"one");
        symlink(&gcc, root.join("cc")).unwrap();
        let shown = |path: &Path| format!("{} (", path.display());
        assert!(found(&root, &[])["C"].starts_with(&shown(&gcc)));
        assert!(!found(&root, &[]).contains_key("C++"));

        let clang = program(&root, "clang", b"two");
        let launcher = program(&root, "ccache-launcher", b"three");
        let through = format!("{} clang", launcher.display());
        symlink(&launcher, root.join("links/clang")).unwrap();
        let link = root.join("links/clang");
        for value in [
            "clang",
            "ccache clang -pthread",
            &through,
            link.to_str().unwrap(),
            clang.to_str().unwrap(),
        ] {
            let compilers = found(&root, &[("CC", value), ("CXX", "")]);
            assert!(compilers["C"].starts_with(&shown(&clang)), "{value}: {compilers:?}");
        }
    }

    #[test]
    fn another_compiler_at_the_same_place_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut bytes = vec![b'x'; 300_000];
        let mut seen = Vec::new();
        // At the start, at the end, and by the length alone.
        for change in [0, 10, 299_990] {
            bytes[change] = b'y';
            program(&root, "cc", &bytes);
            seen.push(found(&root, &[])["C"].clone());
        }
        bytes.push(b'x');
        program(&root, "cc", &bytes);
        seen.push(found(&root, &[])["C"].clone());
        seen.dedup();
        assert_eq!(seen.len(), 4, "{seen:?}");
        assert_eq!(found(&root, &[])["C"], seen[3]);
    }
}
