use super::{
    dense::add_columns,
    gemm::{multiply_add, transpose},
    layer::{Init, Layer, Memory, Statistics, Tensor},
};

/// Vectors for the symbols of sequences: from (example, step) to rows in the order (step, example).
pub(crate) struct Embed {
    pub(crate) symbols: usize,
    pub(crate) width: usize,
    pub(crate) steps: usize,
}

impl Layer for Embed {
    fn tensors(&self) -> Vec<Tensor> {
        vec![Tensor { name: "weight", shape: vec![self.symbols, self.width], init: Init::Normal }]
    }

    fn forward(&self, params: &[f32], x: Vec<f32>, n: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        let mut y = Vec::with_capacity(x.len() * self.width);
        for (step, example) in (0..self.steps).flat_map(|t| (0..n).map(move |e| (t, e))) {
            let symbol = x[example * self.steps + step] as usize;
            y.extend_from_slice(&params[symbol * self.width..(symbol + 1) * self.width]);
        }
        (y, vec![x])
    }

    fn backward(&self, _: &[f32], memory: &Memory, dy: Vec<f32>, n: usize, grads: &mut [f32], _: bool) -> Vec<f32> {
        for (row, d) in dy.chunks_exact(self.width).enumerate() {
            let symbol = memory[0][(row % n) * self.steps + row / n] as usize;
            let to = &mut grads[symbol * self.width..(symbol + 1) * self.width];
            to.iter_mut().zip(d).for_each(|(g, d)| *g += d);
        }
        Vec::new()
    }
}

/// A layer of long short-term memory (gates in `PyTorch`'s order i, f, g, o; one bias) on rows in the order (step, example).
pub(crate) struct Lstm {
    pub(crate) input: usize,
    pub(crate) width: usize,
    pub(crate) steps: usize,
}

impl Lstm {
    fn parts<'a>(&self, params: &'a [f32]) -> (&'a [f32], &'a [f32], &'a [f32]) {
        let (wx, rest) = params.split_at(self.input * 4 * self.width);
        let (wh, b) = rest.split_at(self.width * 4 * self.width);
        (wx, wh, b)
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

impl Layer for Lstm {
    fn tensors(&self) -> Vec<Tensor> {
        let init = Init::fan_in(self.width);
        vec![
            Tensor { name: "weight_input", shape: vec![self.input, 4 * self.width], init },
            Tensor { name: "weight_hidden", shape: vec![self.width, 4 * self.width], init },
            Tensor { name: "bias", shape: vec![4 * self.width], init },
        ]
    }

    fn forward(&self, params: &[f32], x: Vec<f32>, n: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        let (h, steps) = (self.width, self.steps);
        let (wx, wh, b) = self.parts(params);
        let mut gates = b.repeat(steps * n);
        multiply_add(&x, wx, &mut gates, (steps * n, self.input, 4 * h));
        // hidden and cell states, before the first step included
        let (mut hidden, mut cells) = (vec![0.0; (steps + 1) * n * h], vec![0.0; (steps + 1) * n * h]);
        for t in 0..steps {
            let gates = &mut gates[t * n * 4 * h..(t + 1) * n * 4 * h];
            multiply_add(&hidden[t * n * h..(t + 1) * n * h], wh, gates, (n, h, 4 * h));
            let (before, now) = cells.split_at_mut((t + 1) * n * h);
            let before = &before[t * n * h..];
            for (e, g) in gates.chunks_exact_mut(4 * h).enumerate() {
                for j in 0..h {
                    let (i, f, c, o) =
                        (sigmoid(g[j]), sigmoid(g[h + j]), libm::tanhf(g[2 * h + j]), sigmoid(g[3 * h + j]));
                    (g[j], g[h + j], g[2 * h + j], g[3 * h + j]) = (i, f, c, o);
                    let cell = f * before[e * h + j] + i * c;
                    now[e * h + j] = cell;
                    hidden[((t + 1) * n + e) * h + j] = o * libm::tanhf(cell);
                }
            }
        }
        let y = hidden[n * h..].to_vec();
        (y, vec![x, gates, hidden, cells])
    }

    fn backward(
        &self,
        params: &[f32],
        memory: &Memory,
        dy: Vec<f32>,
        n: usize,
        grads: &mut [f32],
        want: bool,
    ) -> Vec<f32> {
        let (h, steps) = (self.width, self.steps);
        let [x, gates, hidden, cells] = &memory[..] else { unreachable!("the four that forward kept") };
        let (wx, wh, _) = self.parts(params);
        let wh_t = transpose(wh, h, 4 * h);
        let mut d_gates = vec![0.0; gates.len()];
        let (mut d_hidden, mut d_cell) = (vec![0.0; n * h], vec![0.0; n * h]);
        for t in (0..steps).rev() {
            d_hidden.iter_mut().zip(&dy[t * n * h..(t + 1) * n * h]).for_each(|(a, b)| *a += b);
            let here = t * n * 4 * h..(t + 1) * n * 4 * h;
            let d_here = &mut d_gates[here.clone()];
            for (e, (d, g)) in d_here.chunks_exact_mut(4 * h).zip(gates[here].chunks_exact(4 * h)).enumerate() {
                for j in 0..h {
                    let (i, f, c, o) = (g[j], g[h + j], g[2 * h + j], g[3 * h + j]);
                    let squashed = libm::tanhf(cells[((t + 1) * n + e) * h + j]);
                    let dh = d_hidden[e * h + j];
                    let dc = d_cell[e * h + j] + dh * o * (1.0 - squashed * squashed);
                    d[j] = dc * c * i * (1.0 - i);
                    d[h + j] = dc * cells[(t * n + e) * h + j] * f * (1.0 - f);
                    d[2 * h + j] = dc * i * (1.0 - c * c);
                    d[3 * h + j] = dh * squashed * o * (1.0 - o);
                    d_cell[e * h + j] = dc * f;
                }
            }
            d_hidden.fill(0.0);
            multiply_add(d_here, &wh_t, &mut d_hidden, (n, 4 * h, h));
        }
        let rows = steps * n;
        let (dwx, rest) = grads.split_at_mut(self.input * 4 * h);
        let (dwh, db) = rest.split_at_mut(h * 4 * h);
        multiply_add(&transpose(x, rows, self.input), &d_gates, dwx, (self.input, rows, 4 * h));
        multiply_add(&transpose(&hidden[..rows * h], rows, h), &d_gates, dwh, (h, rows, 4 * h));
        add_columns(&d_gates, db);
        let mut dx = Vec::new();
        if want {
            dx = vec![0.0; rows * self.input];
            multiply_add(&d_gates, &transpose(wx, self.input, 4 * h), &mut dx, (rows, 4 * h, self.input));
        }
        dx
    }
}
