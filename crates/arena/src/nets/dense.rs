use super::{
    gemm::{multiply, multiply_add, transpose},
    layer::{Init, Layer, Memory, Statistics, Tensor},
};

/// `y = x w + b`, w of shape (input, output), on every row.
pub(crate) struct Dense {
    pub(crate) input: usize,
    pub(crate) output: usize,
}

impl Layer for Dense {
    fn tensors(&self) -> Vec<Tensor> {
        let init = Init::fan_in(self.input);
        vec![
            Tensor { name: "weight", shape: vec![self.input, self.output], init },
            Tensor { name: "bias", shape: vec![self.output], init },
        ]
    }

    fn forward(&self, params: &[f32], x: Vec<f32>, _: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        let (w, b) = params.split_at(self.input * self.output);
        let rows = x.len() / self.input;
        let mut y = b.repeat(rows);
        multiply_add(&x, w, &mut y, (rows, self.input, self.output));
        (y, vec![x])
    }

    fn backward(
        &self,
        params: &[f32],
        memory: &Memory,
        dy: Vec<f32>,
        _: usize,
        grads: &mut [f32],
        want: bool,
    ) -> Vec<f32> {
        let (input, output) = (self.input, self.output);
        let rows = dy.len() / output;
        let (dw, db) = grads.split_at_mut(input * output);
        multiply_add(&transpose(&memory[0], rows, input), &dy, dw, (input, rows, output));
        add_columns(&dy, db);
        if !want {
            return Vec::new();
        }
        multiply(&dy, &transpose(&params[..input * output], input, output), (rows, output, input))
    }
}

/// Adds the sums of the columns.
pub(crate) fn add_columns(x: &[f32], sums: &mut [f32]) {
    for row in x.chunks_exact(sums.len()) {
        for (s, &v) in sums.iter_mut().zip(row) {
            *s += v;
        }
    }
}

/// `max(x, 0)`
pub(crate) struct Relu;

impl Layer for Relu {
    fn forward(&self, _: &[f32], mut x: Vec<f32>, _: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        // NaN stays NaN
        x.iter_mut().filter(|v| **v < 0.0).for_each(|v| *v = 0.0);
        let memory = vec![x.clone()];
        (x, memory)
    }

    fn backward(&self, _: &[f32], memory: &Memory, mut dy: Vec<f32>, _: usize, _: &mut [f32], _: bool) -> Vec<f32> {
        dy.iter_mut().zip(&memory[0]).filter(|(_, y)| **y == 0.0).for_each(|(d, _)| *d = 0.0);
        dy
    }
}

/// The hyperbolic tangent.
pub(crate) struct Tanh;

impl Layer for Tanh {
    fn forward(&self, _: &[f32], mut x: Vec<f32>, _: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        for v in &mut x {
            *v = libm::tanhf(*v);
        }
        let memory = vec![x.clone()];
        (x, memory)
    }

    fn backward(&self, _: &[f32], memory: &Memory, mut dy: Vec<f32>, _: usize, _: &mut [f32], _: bool) -> Vec<f32> {
        dy.iter_mut().zip(&memory[0]).for_each(|(d, y)| *d *= 1.0 - y * y);
        dy
    }
}

/// Multiplies its input by a number that is no parameter: a badly scaled input.
pub(crate) struct Scale(pub(crate) f32);

impl Layer for Scale {
    fn forward(&self, _: &[f32], mut x: Vec<f32>, _: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        for v in &mut x {
            *v *= self.0;
        }
        (x, Vec::new())
    }

    fn backward(&self, _: &[f32], _: &Memory, mut dy: Vec<f32>, _: usize, _: &mut [f32], _: bool) -> Vec<f32> {
        for v in &mut dy {
            *v *= self.0;
        }
        dy
    }
}
