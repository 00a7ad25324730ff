use hybridrepair_core::Stream;
use hybridrepair_data::Normalization;
use hybridrepair_torch::{Kind, Tensor};
use hybridrepair_train::TrainError;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// How random views are made (`MoCo` v3 and `BYOL`: Grill et al. 2020, appendix B). Where there are two numbers, the first
/// is for the first view of a pair and the other for the second.
///
/// Views are made in whole batches where the network is, so that a GPU does not wait for a CPU. Colours are turned in YIQ
/// space and not in HSV, which is a matrix per picture; brightness comes first, then contrast, then saturation and hue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViewSettings {
    /// Smallest and largest share of the picture's area that a random crop keeps; crops are brought back to full size.
    pub crop: [f64; 2],
    /// Whether half of the views are mirrored; `None` asks the data set (a mirrored arrow points the other way).
    pub flip: Option<bool>,
    /// Largest rotation in degrees, either way.
    pub rotate: f64,
    /// Largest change of brightness, contrast, saturation (as factors) and hue (as a share of the circle).
    pub jitter: [f64; 4],
    /// Share of the views whose colours are changed.
    pub jitter_share: f64,
    /// Share of the views without colour.
    pub grey_share: f64,
    /// Share of the views that are blurred, by a Gaussian of 0.1 to 2 pixels per 224; small pictures are left sharp.
    pub blur_share: [f64; 2],
    /// Share of the views whose bright pixels are inverted.
    pub solarize_share: [f64; 2],
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            crop: [0.2, 1.0],
            flip: None,
            rotate: 0.0,
            jitter: [0.4, 0.4, 0.2, 0.1],
            jitter_share: 0.8,
            grey_share: 0.2,
            blur_share: [1.0, 0.1],
            solarize_share: [0.0, 0.2],
        }
    }
}

/// From this side on pictures are blurred.
const BLURRED: i64 = 64;
/// Weights of red, green and blue in grey.
const GREY: [f64; 3] = [0.299, 0.587, 0.114];
/// Side ratios of a crop.
const RATIO: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];

impl ViewSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse = |what, given: String, why| Err(TrainError::Setting { what, given, why });
        let [low, high] = self.crop;
        if !(low > 0.0 && low <= high && high <= 1.0) {
            return refuse("crop", format!("{:?}", self.crop), "is not two shares in (0, 1], the smaller first");
        }
        if !(0.0..=180.0).contains(&self.rotate) {
            return refuse("rotate", self.rotate.to_string(), "is not between 0 and 180 degrees");
        }
        if self.jitter.iter().any(|j| !(0.0..=1.0).contains(j)) || self.jitter[3] > 0.5 {
            return refuse(
                "jitter",
                format!("{:?}", self.jitter),
                "is not four numbers in [0, 1], the hue at most 0.5",
            );
        }
        let shares = [self.jitter_share, self.grey_share].into_iter().chain(self.blur_share).chain(self.solarize_share);
        for share in shares {
            if !(0.0..=1.0).contains(&share) {
                return refuse("share of views", share.to_string(), "is not in [0, 1]");
            }
        }
        Ok(())
    }

    /// A random view of each picture: `n x 3 x h x w` in [0, 1] to the same shape, normalised. `second` takes the settings
    /// of the second view of a pair. All numbers are drawn from `rng`, picture by picture.
    pub fn view(&self, x: &Tensor, second: bool, normalization: &Normalization, rng: &mut Stream) -> Tensor {
        tch::no_grad(|| {
            let (n, h, w) = (x.size()[0], x.size()[2], x.size()[3]);
            let drawn = (0..n).map(|_| self.draw(second, h.min(w) >= BLURRED, rng)).collect::<Vec<_>>();
            let device = x.device();
            let numbers = |of: &dyn Fn(&Drawn) -> Vec<f32>, shape: &[i64]| {
                Tensor::from_slice(&drawn.iter().flat_map(of).collect::<Vec<_>>()).view(shape).to_device(device)
            };
            let one = |of: fn(&Drawn) -> f32| numbers(&|d| vec![of(d)], &[n, 1, 1, 1]);
            let affine = numbers(&|d| d.affine.to_vec(), &[n, 2, 3]);
            let grid = Tensor::affine_grid_generator(&affine, [n, 3, h, w], false);
            // bilinear, with the border's pixels outside
            let x = x.grid_sampler(&grid, 0, 1, false);
            let x = (x * one(|d| d.brightness)).clamp_(0.0, 1.0);
            let weights = Tensor::from_slice(&GREY.map(|g| g as f32)).view([1, 3, 1, 1]).to_device(device);
            let grey = (&x * weights).sum_dim_intlist([1i64, 2, 3].as_slice(), true, Kind::Float) / (h * w) as f64;
            let contrast = one(|d| d.contrast);
            // towards the picture's mean grey
            let x = (&grey + (x - &grey) * contrast).clamp_(0.0, 1.0);
            let colour = numbers(&|d| d.colour.as_flattened().to_vec(), &[n, 3, 3]);
            let x = colour.bmm(&x.reshape([n, 3, h * w])).clamp_(0.0, 1.0).view([n, 3, h, w]);
            let x = blur(x, &drawn.iter().map(|d| d.blur).collect::<Vec<_>>());
            let inverted = one(|d| d.solarize).gt(0.5).logical_and(&x.ge(0.5));
            let x = (&x * -1.0 + 1.0).where_self(&inverted, &x);
            let channel = |v: [f32; 3]| Tensor::from_slice(&v).view([1, 3, 1, 1]).to_device(device);
            let x = (x - channel(normalization.mean)) / channel(normalization.std);
            // pixels beside each other, as the network has its weights
            x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
        })
    }

    fn draw(&self, second: bool, large: bool, rng: &mut Stream) -> Drawn {
        let second = usize::from(second);
        let (width, height) = self.crop_sides(rng);
        let x = rng.gen_range(-1.0..=1.0) * (1.0 - width);
        let y = rng.gen_range(-1.0..=1.0) * (1.0 - height);
        let mirror = if self.flip == Some(true) && rng.gen_bool(0.5) { -1.0 } else { 1.0 };
        let (sin, cos) = (rng.gen_range(-1.0..=1.0) * self.rotate).to_radians().sin_cos();
        let affine = [width * cos * mirror, -width * sin, x, height * sin * mirror, height * cos, y].map(|v| v as f32);
        let changed = rng.gen_bool(self.jitter_share);
        let [b, c, s, hue] = self.jitter.map(|j| if changed { rng.gen_range(-1.0..=1.0) * j } else { 0.0 });
        let grey = rng.gen_bool(self.grey_share);
        let colour = colour(1.0 + if grey { -1.0 } else { s }, hue);
        let blur = if rng.gen_bool(self.blur_share[second]) && large { rng.gen_range(0.1..2.0) } else { 0.0 };
        let solarize = f32::from(u8::from(rng.gen_bool(self.solarize_share[second])));
        Drawn { affine, brightness: (1.0 + b) as f32, contrast: (1.0 + c) as f32, colour, blur, solarize }
    }

    /// Sides of a random crop as shares of the picture's, by torchvision's rule: ten tries, then the whole picture.
    fn crop_sides(&self, rng: &mut Stream) -> (f64, f64) {
        for _ in 0..10 {
            let area = rng.gen_range(self.crop[0]..=self.crop[1]);
            let ratio = rng.gen_range(RATIO[0].ln()..=RATIO[1].ln()).exp();
            let (width, height) = ((area * ratio).sqrt(), (area / ratio).sqrt());
            if width <= 1.0 && height <= 1.0 {
                return (width, height);
            }
        }
        (1.0, 1.0)
    }
}

/// What was drawn for one view.
struct Drawn {
    affine: [f32; 6],
    brightness: f32,
    contrast: f32,
    colour: [[f32; 3]; 3],
    blur: f64,
    solarize: f32,
}

/// Saturation and turn of the hue as a matrix on red, green and blue, by way of YIQ.
fn colour(saturation: f64, hue: f64) -> [[f32; 3]; 3] {
    const TO: [[f64; 3]; 3] = [GREY, [0.595_716, -0.274_453, -0.321_263], [0.211_456, -0.522_591, 0.311_135]];
    const FROM: [[f64; 3]; 3] =
        [[1.0, 0.956_296, 0.621_024], [1.0, -0.272_122, -0.647_381], [1.0, -1.106_989, 1.704_615]];
    let (sin, cos) = (std::f64::consts::TAU * hue).sin_cos();
    let turn = [[1.0, 0.0, 0.0], [0.0, saturation * cos, -saturation * sin], [0.0, saturation * sin, saturation * cos]];
    let times = |a: [[f64; 3]; 3], b: [[f64; 3]; 3]| {
        let cell = |i: usize, j: usize| (0..3).map(|k| a[i][k] * b[k][j]).sum::<f64>();
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| cell(i, j)))
    };
    times(FROM, times(turn, TO)).map(|row| row.map(|v| v as f32))
}

/// Each picture blurred by its own Gaussian; the deviation is in pixels of a picture of 224.
fn blur(x: Tensor, deviations: &[f64]) -> Tensor {
    if deviations.iter().all(|d| *d == 0.0) {
        return x;
    }
    let (n, h, w) = (x.size()[0], x.size()[2], x.size()[3]);
    let scale = h.min(w) as f64 / 224.0;
    let radius = (3.0 * 2.0 * scale).ceil().max(1.0) as i64;
    let kernel = |deviation: &f64| {
        let sd = (deviation * scale).max(1e-3);
        let weights = (-radius..=radius).map(|i| (-0.5 * (i as f64 / sd).powi(2)).exp()).collect::<Vec<_>>();
        let sum = weights.iter().sum::<f64>();
        let one = weights.into_iter().map(|w| (w / sum) as f32).collect::<Vec<_>>();
        [one.as_slice(); 3].concat()
    };
    let kernels = Tensor::from_slice(&deviations.iter().flat_map(kernel).collect::<Vec<_>>()).to_device(x.device());
    let size = 2 * radius + 1;
    let x = x.reshape([1, 3 * n, h, w]).replication_pad2d([radius, radius, radius, radius]);
    let across = kernels.view([3 * n, 1, 1, size]);
    let down = kernels.view([3 * n, 1, size, 1]);
    let none: Option<&Tensor> = None;
    let x = x.conv2d(&across, none, [1, 1], [0, 0], [1, 1], 3 * n);
    x.conv2d(&down, none, [1, 1], [0, 0], [1, 1], 3 * n).view([n, 3, h, w])
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use hybridrepair_torch::Device;

    const PLAIN: Normalization = Normalization { mean: [0.0; 3], std: [1.0; 3] };

    /// Changes nothing.
    fn still() -> ViewSettings {
        ViewSettings {
            crop: [1.0, 1.0],
            flip: Some(false),
            rotate: 0.0,
            jitter: [0.0; 4],
            jitter_share: 0.0,
            grey_share: 0.0,
            blur_share: [0.0; 2],
            solarize_share: [0.0; 2],
        }
    }

    fn pictures(n: i64, side: i64) -> Tensor {
        let values = (0..n * 3 * side * side).map(|i| ((i * 37 + i / 7) % 101) as f32 / 100.0).collect::<Vec<_>>();
        Tensor::from_slice(&values).view([n, 3, side, side])
    }

    fn largest(a: &Tensor, b: &Tensor) -> f64 {
        (a - b).abs().max().double_value(&[])
    }

    #[test]
    fn nothing_asked_changes_nothing_but_the_scale() {
        let x = pictures(3, 8);
        let rng = &mut Streams::new(0).named("v");
        // a crop of everything still draws a ratio: only the square one fits, so ten tries may all fail
        let same = still().view(&x, false, &PLAIN, rng);
        assert!(largest(&same, &x) < 1e-5);
        let norm = Normalization { mean: [0.5; 3], std: [0.25; 3] };
        let scaled = still().view(&x, false, &norm, rng);
        assert!(largest(&scaled, &((&x - 0.5) / 0.25)) < 1e-4);
        assert_eq!(scaled.stride()[1], 1, "channels last");
    }

    #[test]
    fn each_change_does_what_it_says() {
        let x = pictures(2, 8);
        let rng = &mut Streams::new(1).named("v");
        let grey = ViewSettings { grey_share: 1.0, ..still() }.view(&x, false, &PLAIN, rng);
        assert!(largest(&grey.narrow(1, 0, 1), &grey.narrow(1, 2, 1)) < 1e-3);
        let weights = Tensor::from_slice(&[0.299f32, 0.587, 0.114]).view([1, 3, 1, 1]);
        let by_hand = (&x * weights).sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        assert!(largest(&grey.narrow(1, 0, 1), &by_hand) < 1e-3);
        let inverted = ViewSettings { solarize_share: [0.0, 1.0], ..still() };
        assert!(largest(&inverted.view(&x, false, &PLAIN, rng), &x) < 1e-5, "the first view is left alone");
        let by_hand = (&x * -1.0 + 1.0).where_self(&x.ge(0.5), &x);
        let off = (inverted.view(&x, true, &PLAIN, rng) - by_hand).abs();
        // pixels at the threshold may fall on either side by rounding
        assert!(off.lt(1e-4).to_kind(Kind::Float).mean(Kind::Float).double_value(&[]) > 0.97);
        // mirrored pictures are among many
        let flipped = ViewSettings { flip: Some(true), ..still() }.view(&x.repeat([16, 1, 1, 1]), false, &PLAIN, rng);
        let mirror = x.narrow(0, 0, 1).flip([3]);
        let is = |i: i64, t: &Tensor| largest(&flipped.narrow(0, i, 1), t) < 1e-4;
        assert!((0..32).step_by(2).any(|i| is(i, &mirror)) && (0..32).step_by(2).any(|i| is(i, &x.narrow(0, 0, 1))));
        // hue leaves grey pixels and brightness alone
        let even = Tensor::full([1, 3, 4, 4], 0.4, (Kind::Float, Device::Cpu));
        let turned = ViewSettings { jitter: [0.0, 0.0, 0.0, 0.5], jitter_share: 1.0, ..still() };
        assert!(largest(&turned.view(&even, false, &PLAIN, rng), &even) < 1e-3);
        // a blur keeps the mean and takes contrast
        let large = pictures(1, 64);
        let soft = ViewSettings { blur_share: [1.0, 1.0], ..still() }.view(&large, false, &PLAIN, rng);
        assert!(soft.std(true).double_value(&[]) < large.std(true).double_value(&[]));
        assert!((soft.mean(Kind::Float) - large.mean(Kind::Float)).abs().double_value(&[]) < 0.02);
    }

    #[test]
    fn views_depend_on_their_stream_alone_and_stay_finite() {
        let x = pictures(5, 12);
        let all = ViewSettings { flip: Some(true), rotate: 20.0, ..ViewSettings::default() };
        let of = |seed| all.view(&x, true, &PLAIN, &mut Streams::new(seed).named("v"));
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
        assert!(of(3).isfinite().all().int64_value(&[]) == 1);
    }

    #[test]
    fn impossible_settings_are_refused() {
        for bad in [
            ViewSettings { crop: [0.5, 0.2], ..still() },
            ViewSettings { crop: [0.0, 1.0], ..still() },
            ViewSettings { rotate: -1.0, ..still() },
            ViewSettings { jitter: [0.4, 0.4, 0.2, 0.6], ..still() },
            ViewSettings { grey_share: 1.1, ..still() },
            ViewSettings { blur_share: [0.0, f64::NAN], ..still() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(ViewSettings::default().check().is_ok());
    }
}
