//! A tar archive, written byte by byte, so that a test can also write one that the project never would.

const BLOCK_LEN: usize = 512;

/// Returns an archive of files, each with its header.
pub fn tar_archive<'f>(files: impl IntoIterator<Item = ([u8; BLOCK_LEN], &'f [u8])>) -> Vec<u8> {
    let mut archive = Vec::new();
    for (header, bytes) in files {
        archive.extend(header);
        archive.extend(bytes);
        archive.resize(archive.len().next_multiple_of(BLOCK_LEN), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK_LEN, 0);
    archive
}
