use super::Op;
use crate::draw::below;
use hybridrepair_core::Stream;

/// A chain of one to `max_depth` random operations: `AugMix` of width 1, `A` in section 1.7 of the method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugMix {
    /// Rows and columns of the pictures.
    pub size: (usize, usize),
    /// Upper end of the strength of an operation, above 0.1; 3 in the method.
    pub severity: f64,
    /// Longest chain; 3 in the method.
    pub max_depth: usize,
}

impl AugMix {
    /// Augments one picture. `scratch` is working space and grows to one picture at most.
    ///
    /// # Panics
    /// When `image` or `out` is not one picture, or `max_depth` is 0.
    pub fn augment(&self, image: &[u8], stream: &mut Stream, scratch: &mut Vec<u8>, out: &mut [u8]) {
        assert!(self.max_depth > 0, "a chain has at least one operation");
        let depth = 1 + below(stream, self.max_depth);
        scratch.resize(image.len(), 0);
        // pictures go back and forth between `out` and `scratch`; the last operation writes to `out`
        for step in 0..depth {
            let op = Op::draw(self.severity, self.size, stream);
            let to_out = (depth - step) % 2 == 1;
            match (step, to_out) {
                (0, true) => op.apply(self.size, image, out),
                (0, false) => op.apply(self.size, image, scratch),
                (_, true) => op.apply(self.size, scratch, out),
                (_, false) => op.apply(self.size, out, scratch),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn a_chain_equals_its_operations_one_by_one() {
        let mix = AugMix { size: (12, 10), severity: 3.0, max_depth: 3 };
        let image: Vec<u8> = (0..360u32).map(|i| (i * 31 % 256) as u8).collect();
        let (mut scratch, mut out) = (Vec::new(), vec![0; 360]);
        for i in 0..200 {
            mix.augment(&image, &mut Streams::new(3).at("a", 0, i), &mut scratch, &mut out);
            let mut stream = Streams::new(3).at("a", 0, i);
            let mut expected = image.clone();
            for _ in 0..=below(&mut stream, 3) {
                let before = expected.clone();
                Op::draw(3.0, (12, 10), &mut stream).apply((12, 10), &before, &mut expected);
            }
            assert_eq!(out, expected, "chain {i}");
        }
    }

    #[test]
    fn parameters_follow_their_published_distribution() {
        let mut stream = Streams::new(5).named("ops");
        let n = 180_000;
        let (mut kinds, mut four_bits, mut unturned, mut unmoved) = ([0usize; 9], 0usize, 0usize, 0usize);
        for _ in 0..n {
            let op = Op::draw(3.0, (32, 32), &mut stream);
            let kind = match op {
                Op::Autocontrast => 0,
                Op::Equalize => 1,
                Op::Posterize(bits) => {
                    assert!(bits == 3 || bits == 4);
                    four_bits += usize::from(bits == 4);
                    2
                }
                Op::Rotate(d) => {
                    assert!(d.abs() <= 8);
                    unturned += usize::from(d == 0);
                    3
                }
                Op::Solarize(t) => {
                    assert!((180..=254).contains(&t), "{t}");
                    4
                }
                Op::ShearX(l) => {
                    assert!((0.003..=0.09).contains(&l.abs()));
                    5
                }
                Op::ShearY(l) => {
                    assert!((0.003..=0.09).contains(&l.abs()));
                    6
                }
                Op::TranslateX(t) => {
                    assert!(t.abs() <= 3);
                    unmoved += usize::from(t == 0);
                    7
                }
                Op::TranslateY(t) => {
                    assert!(t.abs() <= 3);
                    8
                }
                blend => panic!("{blend:?} is no operation of AugMix"),
            };
            kinds[kind] += 1;
        }
        assert!(kinds.iter().all(|&k| (19_300..20_700).contains(&k)), "{kinds:?}");
        let share = |k: usize, of: usize| k as f64 / of as f64;
        assert!((share(four_bits, kinds[2]) - 0.828).abs() < 0.015);
        assert!((share(unturned, kinds[3]) - 0.080).abs() < 0.010);
        assert!((share(unmoved, kinds[7]) - 0.289).abs() < 0.015);
    }
}
