//! Room on disks, as far as the system tells.

use camino::Utf8Path;

/// The part of `path` that is there.
pub(super) fn standing(path: &Utf8Path) -> &Utf8Path {
    path.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(path)
}

/// What is free for this user where `path` is, in bytes.
#[cfg(unix)]
pub(super) fn free_bytes(path: &Utf8Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path.as_std_path()).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// What is free.
#[cfg(not(unix))]
pub(super) fn free_bytes(_path: &Utf8Path) -> Option<u64> {
    None
}

/// Tells the file system apart that `path` is in.
#[cfg(unix)]
pub(super) fn device(path: &Utf8Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(path.metadata().ok()?.dev())
}

/// Tells the file system apart.
#[cfg(not(unix))]
pub(super) fn device(_path: &Utf8Path) -> Option<u64> {
    None
}

/// Whether `path` is another user's.
#[cfg(unix)]
pub(super) fn is_foreign(path: &Utf8Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    path.metadata().is_ok_and(|found| found.uid() != user)
}

/// Whether it is another user's.
#[cfg(not(unix))]
pub(super) fn is_foreign(_path: &Utf8Path) -> bool {
    false
}

/// The kind of file system that `path` is in, out of Linux's `/proc/self/mountinfo`: that of the mount
/// with the longest path that leads to it, the last one where several lie upon each other.
pub(super) fn file_system<'a>(mounts: &'a str, path: &Utf8Path) -> Option<&'a str> {
    let parts = |line: &'a str| {
        let (mount, kind) = line.split_once(" - ")?;
        Some((unescaped(mount.split(' ').nth(4)?), kind.split(' ').next()?))
    };
    let leading = mounts.lines().filter_map(parts).filter(|(mount, _)| path.starts_with(mount));
    leading.max_by_key(|(mount, _)| mount.len()).map(|(_, kind)| kind)
}

/// A path as the kernel writes it there: blanks and the like as three octal digits.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/me/my\\040cache rw - tmpfs tmpfs rw
32 22 0:42 / /mnt rw - overlay overlay rw
33 22 0:43 / /mnt rw - fuse.sshfs me@there:/ rw
damaged line
";

    #[test]
    fn the_nearest_and_last_mount_decides() {
        for (path, kind) in [
            ("/usr/x", "ext4"),
            ("/home/me", "nfs4"),
            ("/homes", "ext4"),
            ("/home/me/my cache/a", "tmpfs"),
            ("/mnt/x", "fuse.sshfs"),
        ] {
            assert_eq!(file_system(MOUNTS, Utf8Path::new(path)), Some(kind), "{path}");
        }
        assert_eq!(file_system("", Utf8Path::new("/")), None);
    }

    #[test]
    fn a_path_that_is_not_there_stands_as_far_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        assert_eq!(standing(&folder.join("a/b")), folder);
        assert_eq!(standing(folder), folder);
    }
}
