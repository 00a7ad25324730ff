use super::canvas::{Canvas, Rgb, SIDE, mix};
use super::dice::Dice;
use super::plane::smoothstep;

/// Smooth random bumps in about [-1, 1]: random numbers on a lattice, interpolated.
pub(super) struct Bumps {
    lattice: Vec<f32>,
    cell: f32,
    cols: usize,
}

impl Bumps {
    pub(super) fn new(dice: &mut Dice, cell: f32) -> Self {
        let cols = (SIDE as f32 / cell) as usize + 3;
        Self { lattice: (0..cols * cols).map(|_| dice.around(1.0)).collect(), cell, cols }
    }

    pub(super) fn at(&self, (x, y): (f32, f32)) -> f32 {
        let (x, y) = (x / self.cell, y / self.cell);
        let (x0, y0) = ((x as usize).min(self.cols - 2), (y as usize).min(self.cols - 2));
        let (fx, fy) = (smoothstep(0.0, 1.0, x - x0 as f32), smoothstep(0.0, 1.0, y - y0 as f32));
        let corner = |dx: usize, dy: usize| self.lattice[(y0 + dy) * self.cols + x0 + dx];
        let top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * fx;
        let bottom = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * fx;
        top + (bottom - top) * fy
    }
}

fn shade(color: Rgb, change: f32) -> Rgb {
    color.map(|c| c * (1.0 + change))
}

/// A colour near `color`.
fn near(dice: &mut Dice, color: Rgb, reach: f32) -> Rgb {
    let all = dice.around(reach);
    color.map(|c| c + all + dice.around(reach * 0.4))
}

/// What stands behind the sign: sky, trees, a brick wall, a house front, or a road.
pub(super) fn background(dice: &mut Dice) -> Canvas {
    let coarse = Bumps::new(dice, 9.0);
    let fine = Bumps::new(dice, 2.6);
    match dice.below(5) {
        0 => sky(dice, &coarse, &fine),
        1 => trees(dice, &coarse, &fine),
        2 => bricks(dice, &coarse, &fine),
        3 => house(dice, &coarse, &fine),
        _ => road(dice, &coarse, &fine),
    }
}

fn sky(dice: &mut Dice, coarse: &Bumps, fine: &Bumps) -> Canvas {
    let top = near(dice, [112.0, 158.0, 208.0], 26.0);
    let low = near(dice, [196.0, 208.0, 216.0], 20.0);
    let land = near(dice, [88.0, 104.0, 66.0], 26.0);
    let clouds = dice.between(0.0, 1.0);
    let horizon = dice.between(17.0, 40.0);
    Canvas::from_fn(|p| {
        let sky = mix(top, low, (p.1 / horizon).clamp(0.0, 1.0));
        let cloudy = mix(sky, [232.0, 234.0, 236.0], clouds * smoothstep(0.1, 0.7, coarse.at(p)));
        let ridge = horizon + 3.0 * coarse.at((p.0, 3.0));
        mix(cloudy, shade(land, 0.3 * fine.at(p)), smoothstep(ridge - 0.6, ridge + 0.6, p.1))
    })
}

fn trees(dice: &mut Dice, coarse: &Bumps, fine: &Bumps) -> Canvas {
    let leaf = near(dice, [66.0, 98.0, 46.0], 20.0);
    let light = near(dice, [128.0, 152.0, 84.0], 24.0);
    let gap = near(dice, [186.0, 204.0, 216.0], 18.0);
    let holes = dice.between(0.35, 1.0);
    Canvas::from_fn(|p| {
        let green = mix(leaf, light, smoothstep(-0.5, 0.8, fine.at(p) + 0.5 * coarse.at(p)));
        mix(green, gap, smoothstep(holes, holes + 0.3, coarse.at(p) + 0.3 * fine.at(p)))
    })
}

fn bricks(dice: &mut Dice, coarse: &Bumps, fine: &Bumps) -> Canvas {
    let brick = near(dice, [146.0, 92.0, 72.0], 26.0);
    let mortar = near(dice, [176.0, 168.0, 156.0], 18.0);
    let (w, h) = (dice.between(6.0, 9.5), dice.between(3.0, 4.6));
    let (dx, dy) = (dice.between(0.0, w), dice.between(0.0, h));
    let tones: Vec<f32> = (0..64).map(|_| dice.around(0.2)).collect();
    Canvas::from_fn(|p| {
        let row = ((p.1 + dy) / h) as usize;
        let x = (p.0 + dx) / w + if row % 2 == 1 { 0.5 } else { 0.0 };
        let (u, v) = ((x - (x as usize) as f32) * w, (p.1 + dy) - row as f32 * h);
        let edge = u.min(v);
        let tone = tones[(row * 7 + x as usize * 3) % 64];
        mix(mortar, shade(brick, tone + 0.12 * coarse.at(p) + 0.1 * fine.at(p)), smoothstep(0.2, 1.0, edge))
    })
}

fn house(dice: &mut Dice, coarse: &Bumps, fine: &Bumps) -> Canvas {
    let wall = near(dice, [188.0, 178.0, 158.0], 30.0);
    let glass = near(dice, [84.0, 98.0, 112.0], 26.0);
    let (w, h) = (dice.between(9.0, 15.0), dice.between(10.0, 16.0));
    let (dx, dy) = (dice.between(0.0, w), dice.between(0.0, h));
    let share = dice.between(0.35, 0.6);
    Canvas::from_fn(|p| {
        let within = |v: f32| v - (v as usize) as f32;
        let (u, v) = (within((p.0 + dx) / w), within((p.1 + dy) / h));
        let window = smoothstep(0.0, 0.08, share - u) * smoothstep(0.0, 0.08, share - v);
        let plaster = shade(wall, 0.08 * coarse.at(p) + 0.06 * fine.at(p));
        mix(plaster, shade(glass, 0.25 * coarse.at(p)), window)
    })
}

fn road(dice: &mut Dice, coarse: &Bumps, fine: &Bumps) -> Canvas {
    let far = near(dice, [168.0, 172.0, 170.0], 26.0);
    let asphalt = near(dice, [112.0, 112.0, 114.0], 22.0);
    let verge = near(dice, [104.0, 118.0, 76.0], 24.0);
    let (horizon, lean) = (dice.between(6.0, 22.0), dice.between(-1.2, 1.2));
    let edge = dice.between(4.0, 28.0);
    Canvas::from_fn(|p| {
        let along = edge + lean * (p.1 - horizon);
        let ground = mix(verge, asphalt, smoothstep(along - 1.0, along + 1.0, p.0));
        let ground = shade(ground, 0.14 * fine.at(p) + 0.1 * coarse.at(p));
        mix(shade(far, 0.22 * coarse.at(p)), ground, smoothstep(horizon - 1.0, horizon + 1.0, p.1))
    })
}
