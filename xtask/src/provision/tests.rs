use std::cell::Cell;

use anyhow::bail;

use super::*;

/// A tool of two files, of which the network may end after the first.
struct Scene {
    folder: tempfile::TempDir,
    breaks_off: Cell<bool>,
    installed: Cell<usize>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, breaks_off: Cell::new(false), installed: Cell::new(0) }
    }

    fn provide(&self) -> Result<Utf8PathBuf> {
        let home = self.folder.path().to_str().unwrap().to_owned();
        let environment = [("XDG_CACHE_HOME".to_owned(), home)].into_iter().collect();
        let tool = Tool {
            name: "tool",
            version: "1",
            lock: "tool==1",
            // As a real one that lacks what it seldom needs.
            works: &|folder| folder.join("first").is_file(),
            install: &|folder| {
                self.installed.set(self.installed.get() + 1);
                // As pip and venv have it: what is there already may be taken as it is.
                assert!(!folder.exists());
                fs::create_dir(folder)?;
                fs::write(folder.join("first"), "whole")?;
                if self.breaks_off.get() {
                    bail!("the connection was lost");
                }
                Ok(fs::write(folder.join("second"), "whole")?)
            },
        };
        provide(&tool, &environment, Console::silent())
    }
}

#[test]
fn an_installation_that_was_broken_off_is_made_anew() {
    let scene = Scene::new();
    scene.breaks_off.set(true);
    for times in 1..=2 {
        scene.provide().unwrap_err();
        assert_eq!(scene.installed.get(), times, "half of it seems to work, and is not used");
    }
    scene.breaks_off.set(false);
    let folder = scene.provide().unwrap();
    assert!(folder.join("second").is_file());
    assert_eq!(scene.provide().unwrap(), folder);
    assert_eq!(scene.installed.get(), 3);
}

#[test]
fn an_installation_that_has_lost_something_is_made_anew() {
    let scene = Scene::new();
    let folder = scene.provide().unwrap();
    fs::remove_file(folder.join("first")).unwrap();
    scene.provide().unwrap();
    assert_eq!(scene.installed.get(), 2);
}
