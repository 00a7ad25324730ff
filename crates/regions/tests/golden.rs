//! Labels of HDBSCAN against those of two Python packages (`golden/make_hdbscan.py` makes the files).

use hybridrepair_core::Embeddings;
use hybridrepair_regions::{Hdbscan, Ties, quality::ari};
use ndarray::{Array1, Array2};
use std::path::Path;

fn read<T: ndarray_npy::ReadableElement, D: ndarray::Dimension>(name: &str) -> ndarray::Array<T, D> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    ndarray_npy::read_npy(&path).expect("a golden file")
}

#[test]
fn labels_of_hdbscan_and_scikit_learn() {
    let x = Embeddings::new(read::<f32, ndarray::Ix2>("hdbscan_x.npy") as Array2<f32>).expect("points");
    for (min_cluster_size, min_samples) in [(5, 3), (10, 6)] {
        let name = format!("hdbscan_{min_cluster_size}_{min_samples}.npy");
        let golden: Array1<i64> = read(&name);
        let golden = golden.iter().map(|&l| u32::try_from(l).ok()).collect::<Vec<_>>();
        let of = |ties| Hdbscan { min_cluster_size, min_samples, ties }.labels(&x).expect("labels");
        assert_eq!(ari(&of(Ties::InOrder), &golden).expect("same length"), 1.0, "{name}");
        let noise = |labels: &[Option<u32>]| labels.iter().map(Option::is_none).collect::<Vec<_>>();
        assert_eq!(noise(&of(Ties::InOrder)), noise(&golden), "{name}");
        // the paper's way with ties differs in a few samples only
        assert!(ari(&of(Ties::Together), &golden).expect("same length") > 0.97, "{name}");
    }
}
