//! Every kernel gives the same bits on one thread and on several.

use hybridrepair_core::Streams;
use hybridrepair_kernels::{
    KMeansParams, Points, kmeans, mean_k_smallest_cosine_distance, mutual_reachability_path, nearest, neighbors,
    squared_distances, squared_distances_to,
};
use rand::Rng;

#[test]
fn one_thread_and_many() {
    let mut rng = Streams::new(11).named("data");
    let d = 19;
    let data = (0..1500 * d).map(|i| rng.r#gen::<f32>() + (i / d % 10) as f32 * 0.7).collect::<Vec<_>>();
    let x = Points::new(&data, d).expect("finite");
    let few = Points::new(&data[..100 * d], d).expect("finite");
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let mut to = vec![0.0; x.len()];
            squared_distances_to(x, &x.row(3), &mut to).expect("same columns");
            let found = kmeans(x, &KMeansParams::new(150), &mut Streams::new(1).named("k")).expect("k fits");
            (
                to,
                (found.labels, found.centers, found.inertia.to_bits()),
                nearest(x, few).expect("same columns"),
                neighbors(x, 10).expect("k fits"),
                mean_k_smallest_cosine_distance(few, x, 100).expect("same columns"),
                mutual_reachability_path(x, 3).expect("min_samples fits"),
                squared_distances(few, few).expect("same columns"),
            )
        })
    };
    let one = run(1);
    for threads in [2, 5] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn distances_agree_with_each_other() {
    let mut rng = Streams::new(12).named("data");
    let d = 70;
    let data = (0..90 * d).map(|_| rng.r#gen::<f32>() - 2.0).collect::<Vec<_>>();
    let x = Points::new(&data, d).expect("finite");
    let all = squared_distances(x, x).expect("same columns");
    let mut one = vec![0.0; x.len()];
    for i in 0..x.len() {
        squared_distances_to(x, &x.row(i), &mut one).expect("same columns");
        for j in 0..x.len() {
            let exact = hybridrepair_kernels::squared_distance(&x.row(i), &x.row(j)) as f32;
            assert!((one[j] - exact).abs() <= 1e-5 * exact && (all[[i, j]] - exact).abs() < 1e-4, "{i} {j}");
        }
    }
    assert!(squared_distances_to(x, &data[..d - 1], &mut one).is_err());
    assert!(squared_distances_to(x, &[], &mut one).is_err());
    assert!(squared_distances_to(x, &x.row(0), &mut one[1..]).is_err());
}
