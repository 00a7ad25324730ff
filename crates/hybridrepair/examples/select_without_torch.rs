//! A selection strategy from logits alone, without libtorch.
#![expect(clippy::print_stdout, reason = "an example prints")]

use hybridrepair::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let logits = ndarray::array![[4.0, 0.1, 0.2], [0.3, 0.2, 0.1], [0.1, 2.0, 1.9], [0.0, 0.0, 5.0]];
    let evidence = Evidence { probs: Some(Probs::from_logits(&logits)?), ..Evidence::default() };
    let strategy = strategy("margin")?;
    let selection = strategy.select(&Pool::counted(4), &evidence, 2, &mut Streams::new(10).named("select"))?;
    for pick in &selection.picks {
        println!("{}. sample {}: {}", pick.rank + 1, pick.id, pick.reason);
    }
    assert_eq!(selection.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [1, 2]);
    Ok(())
}
