use super::{
    dense::add_columns,
    gemm::{multiply, multiply_add, transpose},
    layer::{Init, Layer, Memory, Statistics, Tensor},
};

const TAPS: usize = 9;

/// A 3 x 3 convolution with padding 1 on square pictures whose rows are cells and whose columns are channels (NHWC).
pub(crate) struct Conv {
    pub(crate) side: usize,
    pub(crate) input: usize,
    pub(crate) output: usize,
    pub(crate) stride: usize,
}

impl Conv {
    /// Side of the output.
    pub(crate) fn out_side(&self) -> usize {
        self.side.div_ceil(self.stride)
    }

    /// Calls with (first value of a window's tap in the columns, first value of its cell in the picture).
    fn each_tap(&self, n: usize, mut call: impl FnMut(usize, usize)) {
        let (side, out) = (self.side, self.out_side());
        for example in 0..n {
            for (y, x) in (0..out).flat_map(|y| (0..out).map(move |x| (y, x))) {
                let window = ((example * out + y) * out + x) * TAPS;
                for tap in 0..TAPS {
                    let (row, col) = (y * self.stride + tap / 3, x * self.stride + tap % 3);
                    // 1 is the padding
                    if (1..=side).contains(&row) && (1..=side).contains(&col) {
                        let cell = (example * side + row - 1) * side + col - 1;
                        call((window + tap) * self.input, cell * self.input);
                    }
                }
            }
        }
    }
}

impl Layer for Conv {
    fn tensors(&self) -> Vec<Tensor> {
        let init = Init::fan_in(TAPS * self.input);
        vec![
            Tensor { name: "weight", shape: vec![3, 3, self.input, self.output], init },
            Tensor { name: "bias", shape: vec![self.output], init },
        ]
    }

    fn forward(&self, params: &[f32], x: Vec<f32>, n: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        let (w, b) = params.split_at(TAPS * self.input * self.output);
        let rows = n * self.out_side().pow(2);
        let mut columns = vec![0.0; rows * TAPS * self.input];
        self.each_tap(n, |to, from| {
            columns[to..to + self.input].copy_from_slice(&x[from..from + self.input]);
        });
        let mut y = b.repeat(rows);
        multiply_add(&columns, w, &mut y, (rows, TAPS * self.input, self.output));
        (y, vec![columns])
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
        let (taps, output) = (TAPS * self.input, self.output);
        let rows = dy.len() / output;
        let (dw, db) = grads.split_at_mut(taps * output);
        multiply_add(&transpose(&memory[0], rows, taps), &dy, dw, (taps, rows, output));
        add_columns(&dy, db);
        if !want {
            return Vec::new();
        }
        let columns = multiply(&dy, &transpose(&params[..taps * output], taps, output), (rows, output, taps));
        let mut dx = vec![0.0; n * self.side * self.side * self.input];
        self.each_tap(n, |from, to| {
            for (d, c) in dx[to..to + self.input].iter_mut().zip(&columns[from..from + self.input]) {
                *d += c;
            }
        });
        dx
    }
}

/// The mean over the cells of a picture.
pub(crate) struct MeanPool {
    pub(crate) cells: usize,
    pub(crate) channels: usize,
}

impl Layer for MeanPool {
    fn forward(&self, _: &[f32], x: Vec<f32>, n: usize, _: Statistics<'_>) -> (Vec<f32>, Memory) {
        let mut y = vec![0.0; n * self.channels];
        for (mean, cells) in y.chunks_exact_mut(self.channels).zip(x.chunks_exact(self.cells * self.channels)) {
            add_columns(cells, mean);
            for v in mean.iter_mut() {
                *v /= self.cells as f32;
            }
        }
        (y, Vec::new())
    }

    fn backward(&self, _: &[f32], _: &Memory, mut dy: Vec<f32>, _: usize, _: &mut [f32], _: bool) -> Vec<f32> {
        for v in &mut dy {
            *v /= self.cells as f32;
        }
        dy.chunks_exact(self.channels).flat_map(|d| d.repeat(self.cells)).collect()
    }
}
