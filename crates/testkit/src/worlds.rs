use crate::WorldSpec;
use proptest::prelude::*;

/// Small worlds of every kind: one sample, one class, one column, only duplicates, no spread, nearly all labels known.
pub fn any_world() -> impl Strategy<Value = WorldSpec> {
    let shape = (1usize..48, 1usize..6, 1usize..7, 1usize..9);
    let looks = (
        prop_oneof![Just(0.0f32), Just(0.12), Just(3.0)],
        prop_oneof![Just(0.0), Just(0.3), Just(1.0)],
        prop_oneof![3 => Just(0.0), 1 => Just(0.5), 1 => Just(1.0)],
        prop_oneof![Just(1.0), Just(50.0)],
    );
    let groups = (1usize..12, 0usize..8, prop_oneof![2 => Just(0usize), 1 => 1usize..60]);
    (shape, looks, groups, any::<u64>()).prop_map(
        |(
            (n, classes, dim, features),
            (spread, hard, duplicates, imbalance),
            (region_size, neighbors, known),
            seed,
        )| {
            WorldSpec {
                n,
                classes,
                dim,
                features,
                spread,
                hard,
                shift: 0.6,
                imbalance,
                duplicates,
                region_size,
                neighbors,
                known,
                seed,
            }
        },
    )
}
