//! The contract of selection strategies.

use crate::{World, WorldSpec, any_world, permute};
use hybridrepair_core::{Embeddings, Evidence, Need, Needs, Pool, Probs, Selection, Streams, Views};
use hybridrepair_select::{SelectError, Strategy, strategy};
use ndarray::{Array1, Array2};
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use rand::Rng;
use rayon::ThreadPoolBuilder;
use std::collections::BTreeSet;

/// Tests the contract for the named strategies of the registry, which must all be listed. `nested` says that a smaller
/// budget gives the first picks of a larger one. A decorated strategy is listed under a name of its own.
///
/// ```ignore
/// hybridrepair_testkit::strategy_contract! { random: nested, mcp, margin_balanced = "margin+balanced": nested }
/// ```
#[macro_export]
macro_rules! strategy_contract {
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $decorated:literal) => { $decorated };
    ($($name:ident $(= $decorated:literal)? $(: $nested:ident)?),* $(,)?) => {
        $(mod $name {
            use $crate::contract::strategy as contract;
            const NAME: &str = $crate::strategy_contract!(@name $name $($decorated)?);

            #[test]
            fn picks_what_was_asked_for() {
                contract::check(NAME, file!(), contract::picks_what_was_asked_for);
            }
            #[test]
            fn repeats_itself_on_any_number_of_threads() {
                contract::check(NAME, file!(), contract::repeats_itself_on_any_number_of_threads);
            }
            #[test]
            fn does_not_depend_on_the_row_order() {
                contract::check(NAME, file!(), contract::does_not_depend_on_the_row_order);
            }
            #[test]
            fn does_not_depend_on_a_constant_in_the_logits() {
                contract::check(NAME, file!(), contract::does_not_depend_on_a_constant_in_the_logits);
            }
            #[test]
            fn looks_at_what_it_declares() {
                contract::check(NAME, file!(), contract::looks_at_what_it_declares);
            }
            #[test]
            fn survives_hostile_evidence() {
                contract::survives_hostile_evidence(NAME);
            }
            $(#[test]
            fn $nested() {
                contract::check(NAME, file!(), contract::nested);
            })?
        })*

        #[test]
        fn every_strategy_of_the_registry_is_listed() {
            let listed = [$($crate::strategy_contract!(@name $name $($decorated)?)),*];
            let plain = listed.into_iter().filter(|name| !name.contains('+')).collect::<std::collections::BTreeSet<_>>();
            assert_eq!(hybridrepair_select::names().into_iter().collect::<std::collections::BTreeSet<_>>(), plain);
        }
    };
}

/// Runs one clause of the contract in many small worlds, with a budget from nothing to more than there is. What fails
/// is shrunk and kept beside the test.
pub fn check(name: &str, file: &'static str, clause: fn(&dyn Strategy, &World, usize)) {
    let config = Config {
        cases: 64,
        source_file: Some(file),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::default()
    };
    let strategy = strategy(name).unwrap();
    let worlds = (any_world(), 0usize..60);
    let result = TestRunner::new(config).run(&worlds, |(spec, budget): (WorldSpec, usize)| {
        clause(&*strategy, &spec.build(), budget);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
}

fn run(strategy: &dyn Strategy, pool: &Pool, evidence: &Evidence, budget: usize) -> Result<Selection, SelectError> {
    strategy.select(pool, evidence, budget, &mut Streams::new(11).named("contract"))
}

/// Exactly `min(budget, unlabelled)` picks, ranks in order, ids that fit rows, none twice, none known, finite scores,
/// reasons in words.
pub fn picks_what_was_asked_for(strategy: &dyn Strategy, world: &World, budget: usize) {
    let picked = run(strategy, &world.pool, &world.evidence, budget).unwrap();
    valid(&picked, &world.pool, &world.evidence, budget);
}

fn valid(picked: &Selection, pool: &Pool, evidence: &Evidence, budget: usize) {
    assert_eq!(picked.len(), budget.min(pool.len() - evidence.known.len()), "number of picks");
    assert_eq!(picked.rows().into_iter().collect::<BTreeSet<_>>().len(), picked.len(), "a sample twice");
    for (rank, pick) in picked.picks.iter().enumerate() {
        assert_eq!(pick.rank, rank);
        assert_eq!(pool.id(pick.idx), pick.id);
        assert!(!evidence.known.contains(pick.idx), "{} is known", pick.id);
        assert!(pick.score.is_finite(), "score {}", pick.score);
        assert!(!pick.reason.is_empty());
    }
}

/// The same stream gives the same picks, scores and reasons, on 1 and on 8 threads.
pub fn repeats_itself_on_any_number_of_threads(strategy: &dyn Strategy, world: &World, budget: usize) {
    let on = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(strategy, &world.pool, &world.evidence, budget)).unwrap()
    };
    assert_eq!(on(1), on(8));
}

/// Permuting the rows of the pool gives the same samples.
pub fn does_not_depend_on_the_row_order(strategy: &dyn Strategy, world: &World, budget: usize) {
    let picked = run(strategy, &world.pool, &world.evidence, budget).unwrap();
    let mut rng = Streams::new(13).named("permutation");
    let mut order: Vec<usize> = (0..world.pool.len()).collect();
    (1..order.len()).rev().for_each(|i| order.swap(i, rng.gen_range(0..=i)));
    let (pool, evidence) = permute(&world.pool, &world.evidence, &order);
    let permuted = run(strategy, &pool, &evidence, budget).unwrap();
    let ids = |s: &Selection| s.picks.iter().map(|p| p.id).collect::<Vec<_>>();
    assert_eq!(ids(&picked), ids(&permuted));
}

/// A constant added to all logits of a sample changes nothing.
pub fn does_not_depend_on_a_constant_in_the_logits(strategy: &dyn Strategy, world: &World, budget: usize) {
    let moved = world.moved_logits(|row| (row % 41) as i8 - 20);
    let evidence = Evidence { probs: Some(Probs::from_logits(&moved).unwrap()), ..world.evidence.clone() };
    let picked = run(strategy, &world.pool, &world.evidence, budget).unwrap();
    assert_eq!(picked, run(strategy, &world.pool, &evidence, budget).unwrap());
}

/// Evidence that is not declared may be absent; evidence that is declared may not, and the error names its flag.
pub fn looks_at_what_it_declares(strategy: &dyn Strategy, world: &World, budget: usize) {
    let needs = strategy.needs();
    let all = run(strategy, &world.pool, &world.evidence, budget).unwrap();
    assert_eq!(all, run(strategy, &world.pool, &world.evidence.restricted_to(needs), budget).unwrap());
    for missing in needs.iter() {
        let rest: Vec<Need> = Need::ALL.into_iter().filter(|&need| need != missing).collect();
        let error = run(strategy, &world.pool, &world.evidence.restricted_to(Needs::of(&rest)), budget).unwrap_err();
        assert_eq!(error, SelectError::Needs { strategy: strategy.name().to_owned(), need: missing });
        assert!(error.to_string().contains(missing.flag()), "{error}");
    }
}

/// A smaller budget gives the first picks of a larger one. (Reasons and scores may speak of the larger one.)
pub fn nested(strategy: &dyn Strategy, world: &World, budget: usize) {
    let large = run(strategy, &world.pool, &world.evidence, budget).unwrap().rows();
    for smaller in [budget / 2, budget.saturating_sub(1), 1.min(budget)] {
        let small = run(strategy, &world.pool, &world.evidence, smaller).unwrap().rows();
        assert_eq!(large[..small.len()], small);
    }
}

/// Zero rows, equal rows, huge and tiny numbers, certain and undecided models, one class: a valid answer.
pub fn survives_hostile_evidence(name: &str) {
    let strategy = strategy(name).unwrap();
    for (n, known) in [(1, 0), (2, 0), (33, 0), (33, 30), (33, 200)] {
        let world = WorldSpec { n, known, ..WorldSpec::default() }.build();
        for evidence in hostile(&world) {
            for budget in [0, 1, 2, n / 2, n, 2 * n, usize::MAX] {
                let picked = run(&*strategy, &world.pool, &evidence, budget).unwrap();
                valid(&picked, &world.pool, &evidence, budget);
            }
        }
        let short = WorldSpec { n: n + 1, ..WorldSpec::default() }.build();
        if strategy.needs() != Needs::NONE {
            let error = run(&*strategy, &short.pool, &world.evidence, 1).unwrap_err();
            assert!(matches!(error, SelectError::Core(_)), "rows that do not fit: {error}");
        }
    }
    let empty = run(&*strategy, &Pool::counted(0), &Evidence::default(), 3);
    assert!(empty.is_err() || empty == Ok(Selection::default()));
}

/// The number in a row and a column.
type Cell<'a> = &'a dyn Fn(usize, usize) -> f32;

fn hostile(world: &World) -> Vec<Evidence> {
    let n = world.pool.len();
    let rows = |value: Cell| Embeddings::new(Array2::from_shape_fn((n, 6), |(i, j)| value(i, j)));
    let features: [Cell; 6] = [
        &|_, _| 0.0,
        &|_, _| 1.0,
        &|i, _| if i % 2 == 0 { 0.0 } else { 1.0 },
        &|i, j| if (i + j) % 2 == 0 { f32::MAX } else { f32::MIN },
        &|i, j| f32::MIN_POSITIVE * (i * j) as f32,
        &|i, j| if i == 0 { 1e30 } else { j as f32 },
    ];
    let models: [(usize, Cell); 4] = [
        (1, &|_, _| 1.0),
        (3, &|_, c| if c == 0 { 1.0 } else { 0.0 }),
        (3, &|i, c| if c == i % 3 { 1.0 } else { 0.0 }),
        (4, &|_, _| 0.25),
    ];
    let mut out = Vec::new();
    for value in features {
        let x = Some(rows(value).unwrap());
        let source = world.evidence.source.clone().map(|mut s| {
            let few: Vec<usize> = (0..s.labels.len()).map(|i| i % n).collect();
            s.features = Some(x.as_ref().unwrap().select(&few).unwrap());
            s.embeddings.clone_from(&s.features);
            s
        });
        out.push(Evidence { features: x.clone(), embeddings: x, source, ..world.evidence.clone() });
    }
    for (classes, value) in models {
        let array = Array2::from_shape_fn((n, classes), |(i, c)| value(i, c));
        let views = Views::from_moments(array.clone(), Array1::zeros(n)).unwrap();
        let mut evidence = world.evidence.clone();
        evidence.probs = Some(Probs::new(array).unwrap());
        evidence.views = Some(views);
        if let Some(source) = &mut evidence.source {
            source.labels.iter_mut().for_each(|c| c.0 %= classes as u32);
        }
        out.push(evidence);
    }
    out
}
