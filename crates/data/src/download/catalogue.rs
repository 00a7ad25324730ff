//! The official addresses.
//!
//! Sizes and checksums are those that others published after they had fetched the files; each entry names whose. TFDS is
//! the repository `tensorflow/datasets`, folder `tensorflow_datasets/url_checksums/` (sizes and SHA-256).

use super::{Archive, Checksum, DownloadError, Source};

/// A published data set.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// The name by which it is asked for, and of its folder.
    pub name: &'static str,
    /// The data sets that are read from it.
    pub readers: &'static [&'static str],
    /// Its full name.
    pub title: &'static str,
    /// Number of classes.
    pub classes: usize,
    /// Labelled pictures, training and test together.
    pub pictures: usize,
    /// What its source says on its use.
    pub licence: &'static str,
    /// The page that describes it.
    pub page: &'static str,
    /// Its files.
    pub parts: &'static [Part],
}

/// A file of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Where it comes from.
    pub source: Source<'static>,
    /// How it is packed; `None` when it is used as it is.
    pub archive: Option<Archive>,
    /// The path in the archive of what is wanted; the name of the file when it is no archive.
    pub inside: &'static str,
    /// The file or folder that this becomes.
    pub makes: &'static str,
    /// Folders in it that are left out.
    pub without: &'static [&'static str],
    /// SHA-256 of files in that folder, where they are known.
    pub contents: &'static [(&'static str, &'static str)],
}

impl Published {
    /// Bytes to fetch, and whether that is all: a file of unknown size counts as nothing.
    pub fn bytes(&self) -> (u64, bool) {
        let sizes = self.parts.iter().map(|part| part.source.bytes);
        (sizes.clone().flatten().sum(), sizes.clone().all(|n| n.is_some()))
    }
}

/// The published data set of this name, or the first that the data set of this name is read from.
///
/// # Errors
/// When the name is unknown.
pub fn published(name: &str) -> Result<&'static Published, DownloadError> {
    let named = PUBLISHED.iter().find(|set| set.name == name);
    named.or_else(|| PUBLISHED.iter().find(|set| set.readers.contains(&name))).ok_or_else(|| {
        let known = PUBLISHED.iter().map(|set| set.name).collect::<Vec<_>>().join(", ");
        DownloadError::Unknown { name: name.to_owned(), known }
    })
}

const fn sha256(url: &'static str, file: &'static str, bytes: u64, digits: &'static str) -> Source<'static> {
    Source { url, file, bytes: Some(bytes), checksum: Checksum::Sha256(digits) }
}

const fn as_it_is(source: Source<'static>) -> Part {
    Part { source, archive: None, inside: source.file, makes: source.file, without: &[], contents: &[] }
}

const fn packed(source: Source<'static>, archive: Archive, makes: &'static str) -> Part {
    Part { source, archive: Some(archive), inside: makes, makes, without: &[], contents: &[] }
}

/// All published data sets that can be fetched.
pub static PUBLISHED: &[Published] = &[
    Published {
        name: "cifar10",
        readers: &["cifar10"],
        title: "CIFAR-10, binary version",
        classes: 10,
        pictures: 60_000,
        licence: "none stated; cite Krizhevsky 2009",
        page: "https://www.cs.toronto.edu/~kriz/cifar.html",
        // TFDS cifar10.txt
        parts: &[Part {
            source: sha256(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
            archive: Some(Archive::TarGz),
            inside: "cifar-10-batches-bin",
            makes: "cifar-10-batches-bin",
            without: &[],
            // `ankane/torchvision-ruby`, lib/torchvision/datasets/cifar10.rb, and computed from the official files
            contents: &[
                ("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
                ("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
                ("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
                ("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
                ("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
                ("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
            ],
        }],
    },
    Published {
        name: "cifar100",
        readers: &["cifar100"],
        title: "CIFAR-100, binary version",
        classes: 100,
        pictures: 60_000,
        licence: "none stated; cite Krizhevsky 2009",
        page: "https://www.cs.toronto.edu/~kriz/cifar.html",
        // TFDS cifar100.txt
        parts: &[packed(
            sha256(
                "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
                "cifar-100-binary.tar.gz",
                168_513_733,
                "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            ),
            Archive::TarGz,
            "cifar-100-binary",
        )],
    },
    Published {
        name: "svhn",
        readers: &["svhn"],
        title: "Street View House Numbers, cropped digits",
        classes: 10,
        pictures: 99_289,
        licence: "non-commercial use only; cite Netzer et al. 2011",
        page: "http://ufldl.stanford.edu/housenumbers/",
        // TFDS svhn_cropped.txt
        parts: &[
            as_it_is(sha256(
                "http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
                "train_32x32.mat",
                182_040_794,
                "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            )),
            as_it_is(sha256(
                "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
                "test_32x32.mat",
                64_275_384,
                "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
            )),
        ],
    },
    Published {
        name: "gtsrb",
        readers: &["gtsrb", "gtsrb-tracks"],
        title: "German Traffic Sign Recognition Benchmark, final training set",
        classes: 43,
        pictures: 39_209,
        licence: "research use; cite Stallkamp et al. 2012",
        page: "https://benchmark.ini.rub.de/gtsrb_dataset.html",
        // size and SHA-256 as several projects note them independently of each other, beside the MD5
        // f33fd80ac59bff73c82d25ab499e03a3; no list that comes with a library names this file
        parts: &[packed(
            sha256(
                "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/GTSRB_Final_Training_Images.zip",
                "GTSRB_Final_Training_Images.zip",
                276_294_756,
                "d32ac4b5fa9a1cbd1994768413902e8193599d9434cf0a8eb9cfd00a6d3a290c",
            ),
            Archive::Zip,
            "GTSRB/Final_Training",
        )],
    },
    // the same pictures in the archives that the published index files belong to
    Published {
        name: "gtsrb-online",
        readers: &["gtsrb"],
        title: "German Traffic Sign Recognition Benchmark, sets of the online competition",
        classes: 43,
        pictures: 39_209,
        licence: "research use; cite Stallkamp et al. 2011",
        page: "https://benchmark.ini.rub.de/gtsrb_dataset.html",
        parts: &[
            // `pytorch/vision`, torchvision/prototype/datasets/_builtin/gtsrb.py; the size is the server's
            Part {
                source: sha256(
                    "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/GTSRB-Training_fixed.zip",
                    "GTSRB-Training_fixed.zip",
                    187_490_228,
                    "df4144942083645bd60b594de348aa6930126c3e0e5de09e39611630abf8455a",
                ),
                archive: Some(Archive::Zip),
                inside: "GTSRB/Training",
                makes: "train",
                without: &[],
                contents: &[],
            },
            // only an MD5 is published, in one project's loader, which has the right one of the file above too; no size
            Part {
                source: Source {
                    url: "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/GTSRB_Online-Test-Images-Sorted.zip",
                    file: "GTSRB_Online-Test-Images-Sorted.zip",
                    bytes: None,
                    checksum: Checksum::Md5("b7bba7dad2a4dc4bc54d6ba2716d163b"),
                },
                archive: Some(Archive::Zip),
                inside: "GTSRB/Online-Test-sort",
                makes: "test",
                // no class: people who use this archive remove it
                without: &["Images"],
                contents: &[],
            },
        ],
    },
    Published {
        name: "stl10",
        readers: &["stl10"],
        title: "STL-10, binary version",
        classes: 10,
        pictures: 13_000,
        licence: "none stated, pictures from ImageNet; cite Coates et al. 2011",
        page: "https://cs.stanford.edu/~acoates/stl10/",
        // TFDS stl10.txt
        parts: &[packed(
            sha256(
                "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
                "stl10_binary.tar.gz",
                2_640_397_119,
                "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
            ),
            Archive::TarGz,
            "stl10_binary",
        )],
    },
    Published {
        name: "mnist",
        readers: &["mnist"],
        title: "MNIST",
        classes: 10,
        pictures: 70_000,
        licence: "none stated; cite LeCun et al. 1998",
        page: "http://yann.lecun.com/exdb/mnist/",
        // TFDS mnist.txt: the copy of the Common Visual Data Foundation, as the authors' own page no longer serves the files
        parts: &[
            as_it_is(sha256(
                "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            )),
            as_it_is(sha256(
                "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz",
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            )),
            as_it_is(sha256(
                "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz",
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            )),
            as_it_is(sha256(
                "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            )),
        ],
    },
    Published {
        name: "fashion-mnist",
        readers: &["fashion-mnist"],
        title: "Fashion-MNIST",
        classes: 10,
        pictures: 70_000,
        licence: "MIT",
        page: "https://github.com/zalandoresearch/fashion-mnist",
        // TFDS fashion_mnist.txt
        parts: &[
            as_it_is(sha256(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            )),
            as_it_is(sha256(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz",
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            )),
            as_it_is(sha256(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz",
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            )),
            as_it_is(sha256(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            )),
        ],
    },
    Published {
        name: "kmnist",
        readers: &["kmnist"],
        title: "Kuzushiji-MNIST",
        classes: 10,
        pictures: 70_000,
        licence: "CC BY-SA 4.0",
        page: "http://codh.rois.ac.jp/kmnist/",
        // `tensorflow/datasets`, tensorflow_datasets/datasets/kmnist/checksums.tsv
        parts: &[
            as_it_is(sha256(
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-images-idx3-ubyte.gz",
                "train-images-idx3-ubyte.gz",
                18_165_135,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            )),
            as_it_is(sha256(
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-labels-idx1-ubyte.gz",
                "train-labels-idx1-ubyte.gz",
                29_497,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            )),
            as_it_is(sha256(
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-images-idx3-ubyte.gz",
                "t10k-images-idx3-ubyte.gz",
                3_041_136,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            )),
            as_it_is(sha256(
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-labels-idx1-ubyte.gz",
                "t10k-labels-idx1-ubyte.gz",
                5_120,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            )),
        ],
    },
    Published {
        name: "emnist-digits",
        readers: &["emnist-digits"],
        title: "EMNIST, all of its sets in the binary format",
        classes: 10,
        pictures: 280_000,
        licence: "none stated; cite Cohen et al. 2017",
        page: "https://www.nist.gov/itl/products-and-services/emnist-dataset",
        // TFDS emnist.txt, under the address that it had before; others note the same SHA-256 for this one
        parts: &[packed(
            sha256(
                "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
                "gzip.zip",
                561_753_746,
                "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
            ),
            Archive::Zip,
            "gzip",
        )],
    },
    Published {
        name: "tiny-imagenet",
        readers: &["tiny-imagenet"],
        title: "Tiny ImageNet",
        classes: 200,
        pictures: 110_000,
        licence: "ImageNet's: non-commercial research and education only",
        page: "http://cs231n.stanford.edu/",
        // SHA-256 as many projects note it, some beside the size and the MD5 90528d7ca1a48142e341f4ef8d21d0de that
        // `ContinualAI/avalanche`, avalanche/benchmarks/datasets/tiny_imagenet/tiny_imagenet.py, checks
        parts: &[packed(
            sha256(
                "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                "tiny-imagenet-200.zip",
                248_100_043,
                "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
            ),
            Archive::Zip,
            "tiny-imagenet-200",
        )],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_entry_is_well_formed() {
        let mut names = BTreeSet::new();
        for set in PUBLISHED {
            assert!(names.insert(set.name), "{} twice", set.name);
            assert!(
                set.classes > 1 && set.pictures > set.classes && !set.licence.is_empty() && !set.readers.is_empty()
            );
            let mut files = BTreeSet::new();
            for part in set.parts {
                let (url, digits) = (part.source.url, part.source.checksum.digits());
                assert!(files.insert(part.source.file), "{url}");
                assert!(url.ends_with(&format!("/{}", part.source.file)), "{url}");
                assert!(url.starts_with("https://") || url.starts_with("http://"), "{url}");
                let length = if part.source.checksum.kind() == "md5" { 32 } else { 64 };
                let contents = part.contents.iter().map(|&(_, digits)| (digits, 64));
                for (digits, length) in contents.chain([(digits, length)]) {
                    assert_eq!(digits.len(), length, "{url}");
                    assert!(digits.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)), "{url}");
                }
                assert_eq!(part.archive.is_none(), part.makes == part.source.file, "{url}");
                assert!(!part.makes.contains("..") && !part.makes.starts_with('/'), "{url}");
            }
        }
    }

    #[test]
    fn what_is_unpacked_lies_where_its_reader_looks() {
        use crate::Dataset;
        for set in PUBLISHED {
            for reader in set.readers {
                let folder = Dataset::named(reader).unwrap().folder.unwrap();
                for part in set.parts.iter().filter(|part| part.archive.is_some()) {
                    let inner = folder.inner.iter().any(|inner| part.makes.starts_with(inner));
                    assert!(inner || folder.holds.contains(&format!("{}/", part.makes)), "{reader}: {}", part.makes);
                }
                for part in set.parts.iter().filter(|part| part.archive.is_none()) {
                    let name = part.makes.trim_end_matches(".gz");
                    assert!(folder.holds.contains(name), "{reader}: {name} is not in {}", folder.holds);
                }
            }
        }
    }

    #[test]
    fn names_are_known_or_listed() {
        assert_eq!(published("gtsrb-tracks").unwrap().name, "gtsrb");
        assert_eq!(published("svhn").unwrap().bytes(), (246_316_178, true));
        assert_eq!(published("gtsrb-online").unwrap().bytes(), (187_490_228, false));
        let e = published("cifar").unwrap_err().to_string();
        assert!(e.starts_with("no published data set is called \"cifar\"; known are cifar10, cifar100, "), "{e}");
    }
}
