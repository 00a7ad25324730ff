use super::{super::adam::power, Course};
use crate::{Grads, Params};

/// Steps over which the rate rises.
const WARM_UP: f64 = 10.0;
/// Where between iterate and average gradients are taken.
const BETA1: f32 = 0.9;
/// Memory of the squares: shorter than Adam's, since runs are short.
const BETA2: f64 = 0.99;
const EPSILON: f32 = 1e-8;
/// Power of the step at which iterates count in the average: later ones are better.
const LATER: i32 = 2;

/// The state of schedule-free Adam.
pub(super) struct Flight {
    /// What is probed.
    pub(super) average: Params,
    iterate: Params,
    square: Vec<f32>,
    course: Course,
    steps: i32,
    weights: f64,
}

impl Flight {
    pub(super) fn new(start: Params, course: Course) -> Self {
        let square = vec![0.0; start.values().len()];
        Self { iterate: start.clone(), average: start, square, course, steps: 0, weights: 0.0 }
    }

    /// Where the next gradient is taken.
    pub(super) fn point(&self) -> Params {
        let mut point = self.iterate.clone();
        point.lerp(BETA1, &self.average);
        point
    }

    /// A step; false when it leads out of the numbers, and then nothing of this flight is of use.
    pub(super) fn step(&mut self, grad: &Grads) -> bool {
        self.steps += 1;
        let rate = self.course.rate * (f64::from(self.steps) / WARM_UP).min(1.0);
        let unbias = (1.0 / (1.0 - power(BETA2, self.steps))) as f32;
        let beta2 = BETA2 as f32;
        for ((z, v), &g) in self.iterate.values_mut().iter_mut().zip(&mut self.square).zip(grad.values()) {
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *z -= rate as f32 * (g / ((*v * unbias).sqrt() + EPSILON) + self.course.decay * *z);
        }
        // steps of the warm-up count as little as they are long
        let weight = rate * rate * f64::from(self.steps).powi(LATER);
        self.weights += weight;
        let share = (weight / self.weights).max(self.course.least_share);
        self.average.lerp(share as f32, &self.iterate);
        self.average.finite()
    }
}
