use super::Checksum;

/// A file at an address, and how to know it when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its `http://` or `https://` address; redirects are followed.
    pub url: &'a str,
    /// Its name in the folder that it is fetched into.
    pub file: &'a str,
    /// Its size, where it is known. A server that announces another one is not listened to.
    pub bytes: Option<u64>,
    /// Its checksum.
    pub checksum: Checksum<'a>,
}
