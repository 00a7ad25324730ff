use super::Sign;
use crate::{Probe, Thresholds};

/// Most entries of all gradients are exactly 0: the published rule, which counts entries and not units.
pub fn zero_entries(probe: &Probe, t: &Thresholds) -> Sign {
    (probe.zeros >= t.dead_share).then(|| format!("{:.0} % of all gradient entries are exactly 0", 100.0 * probe.zeros))
}

/// Most units of a layer are 0 for every sample. Inputs that are always 0 do not count, as entries of a gradient do.
pub fn dead_layers(probe: &Probe, share: f64) -> Sign {
    let dead = probe.layers.iter().filter_map(|l| Some((l.name.as_str(), l.dead?))).collect::<Vec<_>>();
    let (name, worst) = dead.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let layers = dead.iter().filter(|(_, d)| *d >= share).count();
    (worst >= share).then(|| {
        let of = dead.len();
        format!(
            "{:.0} % of the units of layer {name} are 0 for every sample ({layers} of {of} such layers)",
            100.0 * worst
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_probe;

    #[test]
    fn entries_and_units() {
        let t = Thresholds::default();
        let mut probe = test_probe(&[0.0, 0.0], 0.7);
        assert!(zero_entries(&probe, &t).is_some());
        assert!(dead_layers(&probe, 0.9).is_none(), "no activation was seen");
        probe.layers[0].dead = Some(0.95);
        let said = dead_layers(&probe, 0.9).unwrap();
        assert!(said.starts_with("95 % of the units of layer 0"), "{said}");
        probe.layers[0].dead = Some(0.5);
        assert!(dead_layers(&probe, 0.9).is_none());
    }
}
