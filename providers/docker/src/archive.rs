//! Archives of files as the Engine takes and gives them: tar, in the little of it that files alone need.

/// Length of a header, and of what contents are filled up to.
const BLOCK: usize = 512;

/// Where a header has what: start and length.
const NAME: (usize, usize) = (0, 100);
const MODE: (usize, usize) = (100, 8);
const SIZE: (usize, usize) = (124, 12);
const CHECKSUM: (usize, usize) = (148, 8);
const TYPE: usize = 156;
const MAGIC: (usize, usize) = (257, 8);

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Its content.
    pub content: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}

/// An archive of files, each with its absolute path. Directories come with them: who unpacks it makes those that are missing.
pub(crate) fn pack<'a>(files: impl IntoIterator<Item = (&'a str, &'a Packed)>) -> Vec<u8> {
    let mut archive = Vec::new();
    for (path, file) in files {
        let name = path.trim_start_matches('/').as_bytes();
        if name.len() > NAME.1 {
            // What GNU's tar writes before a file whose name is too long for the header.
            entry(&mut archive, (b"././@LongLink", b'L'), 0o644, &[name, b"\0"].concat());
        }
        entry(&mut archive, (&name[..name.len().min(NAME.1)], b'0'), file.mode, &file.content);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

fn entry(archive: &mut Vec<u8>, (name, kind): (&[u8], u8), mode: u32, content: &[u8]) {
    let mut header = [0_u8; BLOCK];
    let mut put = |(start, _): (usize, usize), bytes: &[u8]| header[start..start + bytes.len()].copy_from_slice(bytes);
    put(NAME, name);
    put(MODE, format!("{mode:07o}\0").as_bytes());
    // Owner and group, the first user's.
    put((108, 16), b"0000000\x000000000\0");
    put(SIZE, format!("{:011o}\0", content.len()).as_bytes());
    put((136, 12), b"00000000000\0");
    put(CHECKSUM, b"        ");
    put((TYPE, 1), &[kind]);
    put(MAGIC, b"ustar  \0");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[CHECKSUM.0..CHECKSUM.0 + 8].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.extend_from_slice(&header);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

/// The first file of an archive; nothing if it holds none, or is torn.
pub fn first_file(archive: &[u8]) -> Option<Packed> {
    let mut at = 0;
    loop {
        let header = archive.get(at..at + BLOCK)?;
        let number = |(start, length): (usize, usize)| {
            let text = std::str::from_utf8(&header[start..start + length]).ok()?;
            u32::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
        };
        let size = usize::try_from(number(SIZE)?).ok()?;
        let content = at + BLOCK;
        if matches!(header[TYPE], b'0' | 0) {
            return Some(Packed { content: archive.get(content..content + size)?.to_vec(), mode: number(MODE)? & 0o7777 });
        }
        at = content + size.next_multiple_of(BLOCK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    #[test]
    fn what_is_packed_is_unpacked() {
        let long = format!("/srv/{}/file", "d".repeat(120));
        for (path, content, mode) in
            [("/etc/a.conf", "text\n", 0o644), ("/empty", "", 0o755), (long.as_str(), "x", 0o4600), ("/512", &"y".repeat(512), 0o600)]
        {
            let packed = Packed { content: content.as_bytes().to_vec(), mode };
            let archive = pack([(path, &packed)]);
            assert_eq!(archive.len() % BLOCK, 0);
            assert_eq!(first_file(&archive), Some(packed), "{path}");
            assert_eq!(first_file(&archive[..archive.len() - 3 * BLOCK]), None, "{path}");
        }
        assert_eq!(first_file(&pack([])), None);
    }

    #[test]
    fn another_tar_reads_it() {
        let long = format!("/srv/{}/file", "d".repeat(120));
        let file = |content: &str| Packed { content: content.into(), mode: 0o640 };
        let (a, b) = (file("one"), file("two"));
        let archive = pack([("/etc/a.conf", &a), (&long, &b)]);
        let listing = Command::new("tar").args(["-tvf", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        // Every system of developers has one; the Engine itself reads it in the suites over a real one.
        let Ok(mut listing) = listing else { return };
        listing.stdin.take().expect("a pipe").write_all(&archive).expect("written");
        let output = listing.wait_with_output().expect("an end");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("-rw-r----- 0/0") && text.contains("etc/a.conf"), "{text}");
        assert!(text.contains(long.trim_start_matches('/')), "{text}");
    }
}
