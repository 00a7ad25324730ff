//! Picture files for tests, written without a library.

use crate::World;
use std::fs;

/// A PPM picture of one colour with a little texture that depends on `n`.
pub fn ppm(width: usize, height: usize, colour: [u8; 3], n: usize) -> Vec<u8> {
    let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
    for i in 0..width * height {
        let light = ((i * 31 + n * 17) % 40) as u8;
        bytes.extend(colour.map(|c| c.saturating_sub(light)));
    }
    bytes
}

/// Three classes of coloured pictures of many sizes in `train` and `holdout`, and, darker and side by side, in `field`.
pub fn own_pictures(w: &World, root: &str) {
    let classes = [("blue", [40, 60, 230]), ("green", [30, 220, 60]), ("red", [240, 40, 50])];
    for (part, count) in [("train", 24), ("holdout", 12), ("field", 20)] {
        for (name, colour) in classes {
            let folder = if part == "field" { "cam 1".to_owned() } else { name.to_owned() };
            let folder = w.path(root).join(part).join(folder);
            fs::create_dir_all(&folder).expect("a temporary folder");
            for i in 0..count {
                let shade = if part == "field" { colour.map(|c| c / 2) } else { colour };
                let bytes = ppm(20 + i % 17, 24 + (i * 5) % 13, shade, i);
                fs::write(folder.join(format!("{name}-{i}.ppm")), bytes).expect("a temporary file");
            }
        }
    }
}
