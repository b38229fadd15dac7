use std::cell::Cell;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};
use tempfile::TempDir;

use super::*;

const NAME: &str = "ccache-1.2-linux-x86_64-musl-static";

/// An archive with these files.
fn archive(files: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, kind, contents) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_size(contents.len() as u64);
        tar.append_data(&mut header, path, *contents).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn good() -> Vec<u8> {
    let path = format!("{NAME}/ccache");
    archive(&[
        (&format!("{NAME}/README"), EntryType::Regular, b"read me"),
        (&path, EntryType::Regular, b"the program"),
    ])
}

/// A place for pinned ccaches, and what a server gives.
struct Scene {
    _folder: TempDir,
    home: Utf8PathBuf,
    sha256: String,
    served: Result<Vec<u8>, &'static str>,
    remembers: bool,
    fetched: Cell<usize>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().join("pinned")).unwrap();
        let sha256 = hex(&Sha256::digest(good()));
        Self {
            _folder: folder,
            home,
            sha256,
            served: Ok(good()),
            remembers: false,
            fetched: Cell::new(0),
        }
    }

    fn provide(&self) -> Result<Utf8PathBuf> {
        let store = Store {
            name: NAME.to_owned(),
            version: "1.2",
            sha256: &self.sha256,
            source: "https://mirror.example/ccache/",
            home: &self.home,
            remembers: self.remembers,
        };
        let fetch = |address: &str, file: &Path| -> Result<()> {
            assert_eq!(address, format!("https://mirror.example/ccache/{NAME}.tar.gz"));
            self.fetched.set(self.fetched.get() + 1);
            match &self.served {
                Ok(bytes) => Ok(fs::write(file, bytes)?),
                Err(why) => {
                    fs::write(file, &good()[..20])?;
                    bail!("{why}")
                }
            }
        };
        store.provide(&fetch, Console::silent())
    }

    /// The folder of the only platform.
    fn folder(&self) -> Utf8PathBuf {
        self.home.join(format!("{NAME}-{}", &self.sha256[..16]))
    }

    fn names(folder: &Utf8Path) -> Vec<String> {
        let entries = folder.read_dir_utf8().unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
        names.sort();
        names
    }
}

#[test]
fn it_is_fetched_once_and_lies_alone_in_its_folder() {
    let scene = Scene::new();
    for _ in 0..2 {
        let bin = scene.provide().unwrap();
        assert_eq!(fs::read(bin.join("ccache")).unwrap(), b"the program");
        assert_eq!(Scene::names(&bin), ["ccache"]);
    }
    assert_eq!(scene.fetched.get(), 1);
    assert_eq!(Scene::names(&scene.folder()), ["archive.tar.gz", "bin", "lock"]);
}

#[test]
fn what_has_another_hash_is_neither_unpacked_nor_kept() {
    let mut scene = Scene::new();
    let evil = archive(&[(&format!("{NAME}/ccache"), EntryType::Regular, b"evil")]);
    for served in [evil, good()[..100].to_vec(), Vec::new()] {
        scene.served = Ok(served);
        let error = format!("{:#}", scene.provide().unwrap_err());
        assert!(error.contains("another file than the pinned one"), "{error}");
        assert_eq!(Scene::names(&scene.folder()), ["failed.json", "lock"]);
    }
    scene.served = Ok(good());
    scene.provide().unwrap();
    assert_eq!(Scene::names(&scene.folder()), ["archive.tar.gz", "bin", "lock"]);
}

/// Whatever was changed on disk, by whomever.
#[test]
fn what_is_not_as_it_was_is_made_again() {
    let scene = Scene::new();
    let bin = scene.provide().unwrap();
    let program = bin.join("ccache");
    let read = |path: &Utf8Path| fs::read(path).unwrap();
    let changes: [(&str, &dyn Fn(), usize); 6] = [
        ("half a program", &|| fs::write(&program, b"the pro").unwrap(), 0),
        ("another program", &|| fs::write(&program, b"the prograM").unwrap(), 0),
        ("no program", &|| fs::remove_file(&program).unwrap(), 0),
        ("a compiler beside it", &|| fs::write(bin.join("gcc"), b"evil").unwrap(), 0),
        ("no folder", &|| fs::remove_dir_all(&bin).unwrap(), 0),
        (
            "half an archive",
            &|| fs::write(scene.folder().join("archive.tar.gz"), &good()[..50]).unwrap(),
            1,
        ),
    ];
    for (what, change, fetches) in changes {
        change();
        scene.fetched.set(0);
        scene.provide().unwrap();
        assert_eq!(read(&program), b"the program", "{what}");
        assert_eq!(Scene::names(&bin), ["ccache"], "{what}");
        assert_eq!(scene.fetched.get(), fetches, "{what}");
    }
}

#[cfg(unix)]
#[test]
fn links_and_rights_count_as_well() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let scene = Scene::new();
    let bin = scene.provide().unwrap();
    let program = bin.join("ccache");
    let elsewhere = scene.home.join("elsewhere");
    let mode = |path: &Utf8Path| path.symlink_metadata().unwrap().permissions().mode() & 0o777;

    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    scene.provide().unwrap();
    assert_eq!(mode(&program), 0o755);

    fs::write(&elsewhere, b"the program").unwrap();
    fs::remove_file(&program).unwrap();
    symlink(&elsewhere, &program).unwrap();
    scene.provide().unwrap();
    assert!(program.symlink_metadata().unwrap().is_file(), "what it leads to can change");

    let other = scene.home.join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("ccache"), b"evil").unwrap();
    fs::remove_dir_all(&bin).unwrap();
    symlink(&other, &bin).unwrap();
    scene.provide().unwrap();
    assert!(bin.symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read(other.join("ccache")).unwrap(), b"evil", "a link is not followed");
    assert_eq!(fs::read(&program).unwrap(), b"the program");
}

#[test]
fn what_a_run_that_was_broken_off_has_left_goes_and_is_never_used() {
    let scene = Scene::new();
    fs::create_dir_all(scene.folder()).unwrap();
    fs::write(scene.folder().join("beside-x"), &good()[..50]).unwrap();
    fs::write(scene.folder().join("beside-y"), good()).unwrap();
    scene.provide().unwrap();
    assert_eq!(scene.fetched.get(), 1, "a file beside its place is in no place");
    assert_eq!(Scene::names(&scene.folder()), ["archive.tar.gz", "bin", "lock"]);
}

#[test]
fn a_failure_is_an_answer_for_a_while_where_another_ccache_will_do() {
    let mut scene = Scene::new();
    scene.served = Err("no route");
    scene.remembers = true;
    scene.provide().unwrap_err();
    let error = scene.provide().unwrap_err().to_string();
    assert_eq!(error, "no route (0 min ago; `--ccache pinned` tries again at once)");
    assert_eq!(scene.fetched.get(), 1);
    // Who insists tries each time.
    scene.remembers = false;
    scene.provide().unwrap_err();
    assert_eq!(scene.fetched.get(), 2);
    // Neither the future nor the past counts, nor what is damaged, nor another address.
    scene.remembers = true;
    let memory = scene.folder().join("failed.json");
    let now = Timestamp::now().as_second();
    let address = format!("https://mirror.example/ccache/{NAME}.tar.gz");
    for (address, at) in [
        (address.as_str(), now - PATIENCE_SECONDS - 1),
        (address.as_str(), now + 1000),
        ("https://other.example/", now),
    ] {
        let failed = Failed { address: address.to_owned(), why: "x".to_owned(), at };
        memory::remember(&memory, &failed).unwrap();
        scene.fetched.set(0);
        scene.provide().unwrap_err();
        assert_eq!(scene.fetched.get(), 1, "{failed:?}");
    }
    fs::write(&memory, "{").unwrap();
    scene.served = Ok(good());
    scene.provide().unwrap();
    assert!(!memory.exists());
}

#[test]
fn only_a_file_of_the_right_name_is_the_program() {
    let path = format!("{NAME}/ccache");
    let other = format!("{NAME}/doc/ccache");
    for files in [
        vec![],
        vec![(other.as_str(), EntryType::Regular, &b"x"[..])],
        vec![("ccache", EntryType::Regular, &b"x"[..])],
        vec![(path.as_str(), EntryType::Directory, &b""[..])],
    ] {
        let error = unpack(&archive(&files), NAME).unwrap_err().to_string();
        assert_eq!(error, format!("the archive has no {path}"));
    }
    assert!(unpack(b"no gzip", NAME).is_err());
    assert_eq!(unpack(&good(), NAME).unwrap(), b"the program");
}

#[test]
fn an_architecture_without_a_pin_has_no_promise() {
    let pins = Pins::built_in().unwrap();
    let settings = Ccache {
        which: cli::Ccache::Pinned,
        origin: None,
        mirror: None,
        release: None,
        limit: Duration::from_secs(1),
    };
    let architectures = ["x86_64", "ppc64le"].map(ToOwned::to_owned).into();
    let promised = promised(&architectures, &settings, &pins);
    assert!(matches!(&promised["x86_64"], Offer::Ready(ready) if ready.version == "4.14.1"));
    let why = "ccache 4.14.1 is not pinned for ppc64le".to_owned();
    assert_eq!(promised["ppc64le"], Offer::Unpinned(why));
}
