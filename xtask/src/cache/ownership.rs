//! Whose the files of a cache folder are. What a container writes as root may be another user's
//! afterwards, and then the next run cannot write to it, nor a workflow save it.

#[cfg(unix)]
pub(crate) use self::unix::{is_theirs, repair};

/// Whether everything in a folder is this user's.
#[cfg(not(unix))]
pub(crate) fn is_theirs(_folder: &camino::Utf8Path) -> anyhow::Result<bool> {
    Ok(true)
}

/// There are no such owners.
#[cfg(not(unix))]
pub(crate) fn repair(
    _folder: &camino::Utf8Path,
    _inside: &str,
    _as_root: impl Fn(&str) -> Option<std::process::Command>,
) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::process::Command;
    use std::time::Duration;

    use anyhow::{Context as _, Result};
    use camino::Utf8Path;

    use crate::process;

    /// Giving a large folder to another user on a slow disk.
    const LIMIT: Duration = Duration::from_secs(120);

    /// Gives what is another user's to the one that runs this. `as_root` makes a command out of a
    /// script that is to run as root where the folder is seen as `inside`.
    ///
    /// # Errors
    /// It could not be done for a file.
    pub(crate) fn repair(
        folder: &Utf8Path,
        inside: &str,
        as_root: impl Fn(&str) -> Option<Command>,
    ) -> Result<()> {
        let user = rustix::process::geteuid();
        let group = rustix::process::getegid();
        let (uid, gid) = (user.as_raw(), group.as_raw());
        if !has_foreign(folder, uid)? {
            return Ok(());
        }
        if user.is_root() {
            return give(folder, uid, gid);
        }
        // Without rights of our own the engine's have to do.
        let script = format!("chown -R -h {uid}:{gid} {inside}");
        let command = as_root(&script).context("only root can give files away")?;
        process::read(command, LIMIT).map(drop)
    }

    /// Whether everything in the folder is the user's that runs this.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub(crate) fn is_theirs(folder: &Utf8Path) -> Result<bool> {
        Ok(!has_foreign(folder, rustix::process::geteuid().as_raw())?)
    }

    /// Whether anything in the folder is another user's. What cannot be looked into is.
    fn has_foreign(path: &Utf8Path, uid: u32) -> Result<bool> {
        let found = fs::symlink_metadata(path).with_context(|| format!("cannot look at {path}"))?;
        if found.uid() != uid {
            return Ok(true);
        }
        if !found.is_dir() {
            return Ok(false);
        }
        let Ok(entries) = path.read_dir_utf8() else { return Ok(true) };
        for entry in entries {
            if has_foreign(entry?.path(), uid)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn give(path: &Utf8Path, uid: u32, gid: u32) -> Result<()> {
        // Of links the link itself: it could lead anywhere.
        std::os::unix::fs::lchown(path, Some(uid), Some(gid))
            .with_context(|| format!("cannot become the owner of {path}"))?;
        if fs::symlink_metadata(path)?.is_dir() {
            for entry in path.read_dir_utf8()? {
                give(entry?.path(), uid, gid)?;
            }
        }
        Ok(())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_another_users_is_seen() {
            let folder = tempfile::tempdir().unwrap();
            let path = Utf8Path::from_path(folder.path()).unwrap();
            fs::create_dir(path.join("a")).unwrap();
            fs::write(path.join("a/object"), "").unwrap();
            let uid = rustix::process::geteuid().as_raw();
            assert!(!has_foreign(path, uid).unwrap());
            assert!(has_foreign(path, uid + 1).unwrap());
            // Nothing to do: nobody is asked for help.
            repair(path, "/x", |_| unreachable!()).unwrap();
        }
    }
}
