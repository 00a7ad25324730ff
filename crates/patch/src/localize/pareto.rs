/// The points that no other is at least as good as in both numbers and better in one, both maximised; of equal points
/// all are kept. Rows in the order of the first number, largest first. `O(n log n)`.
///
/// Points with a NaN are never on the front.
pub fn pareto_front(points: &[(f64, f64)]) -> Vec<usize> {
    let mut order = (0..points.len()).filter(|&i| !points[i].0.is_nan() && !points[i].1.is_nan()).collect::<Vec<_>>();
    order.sort_by(|&a, &b| {
        points[b].0.total_cmp(&points[a].0).then(points[b].1.total_cmp(&points[a].1)).then(a.cmp(&b))
    });
    let (mut front, mut best) = (Vec::new(), None::<(f64, f64)>);
    for i in order {
        let (x, y) = points[i];
        // the largest second number so far belongs to a point with a first number at least as large
        match best {
            Some((bx, by)) if y < by || (y == by && x < bx) => {}
            _ => {
                front.push(i);
                best = Some((x, y));
            }
        }
    }
    front
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use rand::Rng;

    #[test]
    fn as_brute_force_has_it_with_many_ties() {
        let mut rng = Streams::new(4).named("pareto");
        for round in 0..200 {
            let n = rng.gen_range(1..60);
            let levels = if round % 2 == 0 { 5 } else { 1000 };
            let draw = |rng: &mut hybridrepair_core::Stream| f64::from(rng.gen_range(0..levels)) / 7.0;
            let points = (0..n).map(|_| (draw(&mut rng), draw(&mut rng))).collect::<Vec<_>>();
            let beaten = |i: usize| {
                points
                    .iter()
                    .any(|p| p.0 >= points[i].0 && p.1 >= points[i].1 && (p.0 > points[i].0 || p.1 > points[i].1))
            };
            let mut got = pareto_front(&points);
            got.sort_unstable();
            assert_eq!(got, (0..n).filter(|&i| !beaten(i)).collect::<Vec<_>>(), "{points:?}");
        }
    }

    #[test]
    fn nan_is_never_on_the_front() {
        assert_eq!(pareto_front(&[(f64::NAN, 9.0), (1.0, 1.0), (9.0, f64::NAN)]), [1]);
        assert!(pareto_front(&[]).is_empty());
    }
}
