//! What every implementation of a trait must keep, as functions and macros.

use crate::{World, WorldSpec, any_world};
use proptest::test_runner::{Config, TestRunner};

pub mod clusterer;
pub mod propagator;
pub mod strategy;

/// Runs a clause in many small worlds.
fn in_worlds(name: &str, cases: u32, clause: impl Fn(&World, usize)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(any_world(), 0usize..60), |(spec, budget): (WorldSpec, usize)| {
        clause(&spec.build(), budget);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
}
