//! Every strategy on every kind of array file: bad ones get an input error that names the file, unusual ones the right
//! answer.

use hybridrepair_tests::{Ran, World};
use ndarray::{Array2, ShapeBuilder, array};
use ndarray_npy::write_npy;
use std::collections::BTreeSet;

const N: usize = 12;

/// All strategies, as the tool lists them.
fn strategies(w: &World) -> Vec<String> {
    let ran = w.run(&["select", "--strategy", "?", "--budget", "1", "--logits", "z.npy"]);
    let list = ran.err.split_once("known are ").expect("a list of names").1;
    let list = list.split(&[';', '\n']).next().unwrap();
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    assert!(names.len() > 20 && names.contains(&"coreset".to_owned()), "{names:?}");
    names
}

/// Arrays of `n` samples, 3 classes, 4 columns; `value` fills features and embeddings.
fn arrays(w: &World, n: usize, value: impl Fn(usize, usize) -> f32) {
    write_npy(w.path("z.npy"), &Array2::from_shape_fn((n, 3), |(i, c)| ((i * 7 + c * 3) % 11) as f32)).unwrap();
    write_npy(w.path("x.npy"), &Array2::from_shape_fn((n, 4), |(i, j)| value(i, j))).unwrap();
    write_npy(w.path("v.npy"), &Array2::from_elem((n, 3), 1.0f32 / 3.0)).unwrap();
    write_npy(w.path("s.npy"), &Array2::from_shape_fn((5, 4), |(i, j)| value(i + 1, j))).unwrap();
    write_npy(w.path("labels.npy"), &array![0i64, 1, 2, 1, 0]).unwrap();
}

fn spread(i: usize, j: usize) -> f32 {
    ((i * 5 + j * 3) % 13) as f32 - 4.0 + i as f32 * 0.01
}

/// Selects with all arrays, the pool's features and embeddings from `x`.
fn select(w: &World, strategy: &str, budget: &str, x: &str) -> Ran {
    let line = format!(
        "select --strategy {strategy} --budget {budget} --json -j 1 --logits z.npy --features {x} --embeddings {x} \
         --views v.npy --source-embeddings s.npy --source-labels labels.npy"
    );
    w.run(&line.split_whitespace().collect::<Vec<_>>())
}

fn ids(ran: &Ran) -> Vec<u64> {
    ran.json()["picks"].as_array().unwrap().iter().map(|pick| pick["id"].as_u64().unwrap()).collect()
}

#[test]
fn every_strategy_refuses_bad_files_and_names_them() {
    let w = World::new();
    arrays(&w, N, spread);
    let whole = w.read("x.npy");
    w.write("cut.npy", &whole[..whole.len() - 3]);
    w.write("long.npy", [&whole[..], b"more"].concat());
    w.write("empty.npy", b"");
    w.write("4gb.npy", [b"\x93NUMPY\x02\x00\xff\xff\xff\xff", &whole[10..]].concat());
    write_npy(w.path("flat.npy"), &array![0.0f32, 1.0]).unwrap();
    write_npy(w.path("none.npy"), &Array2::<f32>::zeros((0, 4))).unwrap();
    write_npy(w.path("thin.npy"), &Array2::<f32>::zeros((N, 0))).unwrap();
    let mut bad = Array2::from_shape_fn((N, 4), |(i, j)| spread(i, j));
    bad[[2, 1]] = f32::NAN;
    write_npy(w.path("nan.npy"), &bad).unwrap();
    bad[[2, 1]] = f32::NEG_INFINITY;
    write_npy(w.path("infinite.npy"), &bad).unwrap();
    for strategy in strategies(&w) {
        for file in ["cut", "long", "empty", "4gb", "flat", "none", "thin", "nan", "infinite"] {
            let file = format!("{file}.npy");
            select(&w, &strategy, "3", &file).fails(4, &[&file]);
        }
        write_npy(w.path("short.npy"), &Array2::<f32>::ones((N - 1, 4))).unwrap();
        select(&w, &strategy, "3", "short.npy").fails(4, &["11", "12"]);
    }
}

#[test]
fn other_byte_orders_and_layouts_give_the_same_picks() {
    let w = World::new();
    arrays(&w, N, spread);
    let x = Array2::from_shape_fn((N, 4), |(i, j)| spread(i, j));
    let mut fortran = Array2::zeros((N, 4).f());
    fortran.assign(&x);
    write_npy(w.path("fortran.npy"), &fortran).unwrap();
    write_npy(w.path("double.npy"), &x.mapv(f64::from)).unwrap();
    let header = b"{'descr': '>f4', 'fortran_order': False, 'shape': (12, 4), }";
    let mut big = b"\x93NUMPY\x01\x00".to_vec();
    big.extend((header.len() as u16 + 1).to_le_bytes());
    big.extend(header);
    big.push(b'\n');
    big.extend(x.iter().flat_map(|v| v.to_be_bytes()));
    w.write("big.npy", big);
    for strategy in strategies(&w) {
        let plain = select(&w, &strategy, "4", "x.npy").ok();
        assert_eq!(ids(&plain).len(), 4, "{strategy}");
        for file in ["fortran.npy", "double.npy", "big.npy"] {
            assert_eq!(select(&w, &strategy, "4", file).ok().out, plain.out, "{strategy} on {file}");
        }
    }
}

#[test]
fn every_strategy_takes_zero_rows_equal_rows_one_sample_and_the_whole_pool() {
    let w = World::new();
    type Value = fn(usize, usize) -> f32;
    let cases: [(usize, Value); 4] = [(N, |_, _| 0.0), (N, |_, _| 2.5), (1, spread), (2, |i, _| i as f32)];
    for (n, value) in cases {
        arrays(&w, n, value);
        for strategy in strategies(&w) {
            for budget in [1, n] {
                let ran = select(&w, &strategy, &budget.to_string(), "x.npy").ok();
                let ids: BTreeSet<u64> = ids(&ran).into_iter().collect();
                assert_eq!(ids.len(), budget, "{strategy}, {n} rows: {}", ran.out);
                assert!(ids.iter().all(|&id| id < n as u64));
            }
            select(&w, &strategy, "0", "x.npy").fails(2, &["0"]);
            select(&w, &strategy, &(n + 1).to_string(), "x.npy").fails(2, &["budget"]);
        }
    }
    // a model of one class, whose labels of the source are all of it
    arrays(&w, N, spread);
    write_npy(w.path("z.npy"), &Array2::<f32>::zeros((N, 1))).unwrap();
    write_npy(w.path("v.npy"), &Array2::<f32>::ones((N, 1))).unwrap();
    write_npy(w.path("labels.npy"), &array![0i64, 0, 0, 0, 0]).unwrap();
    for strategy in strategies(&w) {
        assert_eq!(ids(&select(&w, &strategy, "3", "x.npy").ok()).len(), 3, "{strategy}");
    }
}

#[test]
fn what_is_too_large_is_refused_with_the_estimate_before_it_starts() {
    let w = World::new();
    arrays(&w, N, spread);
    let limited = |strategy: &str, limit: &str| select(&w, strategy, &format!("3 {limit}"), "x.npy");
    for strategy in strategies(&w) {
        limited(&strategy, "--max-memory 1").fails(5, &[&strategy, "GiB of working memory", "--max-memory"]);
        limited(&strategy, "--max-memory 2GiB").ok();
    }
    limited("margin", "--max-memory plenty").fails(2, &["plenty"]);
    limited("margin", "--max-minutes 0").fails(2, &["--max-minutes"]);
}
