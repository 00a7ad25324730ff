//! The part of the zip format that `torch.save` uses: entries stored as they are, with zip64 beyond 4 GB.

mod read;
mod write;

pub(crate) use read::entries;
pub(crate) use write::ZipWriter;

/// Marks of the format's records.
const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;

/// Id of the extra field with the sizes and offsets beyond 4 GB.
const EXTRA64: u16 = 1;
