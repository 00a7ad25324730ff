//! The table of `docs/bad_input.md`: every row is made, given to the tool, and must get what the page says. The page is
//! written anew by `HYBRIDREPAIR_WRITE_PAGE=1 cargo test --release -p hybridrepair-tests --test bad_input`.

use hybridrepair_tests::{Ran, World, pictures::own_pictures, root};
use std::{fmt::Write, fs, path::PathBuf};

/// What is given, what it gets.
struct Case {
    what: &'static str,
    code: i32,
    /// Words that must be said.
    says: &'static str,
}

const fn case(what: &'static str, code: i32, says: &'static str) -> Case {
    Case { what, code, says }
}

/// Rows of a part of the page, and what was not as it says.
#[derive(Default)]
struct Checked {
    rows: String,
    wrong: Vec<String>,
    count: usize,
}

impl Checked {
    fn check(&mut self, c: &Case, ran: &Ran) {
        let said = format!("{}{}", ran.out, ran.err);
        assert!(!said.contains("panicked"), "{}: {said}", c.what);
        if ran.code != c.code || !said.contains(c.says) {
            self.wrong.push(format!("{}: exit {} instead of {}, {:?} in: {said}", c.what, ran.code, c.code, c.says));
        }
        let says = c.says.replace('|', "\\|");
        writeln!(self.rows, "| {} | {} | {says} |", c.what, c.code).unwrap();
        self.count += 1;
    }

    /// Compares with the part of the page below this title, or writes it.
    fn same_as_page(self, title: &str, least: usize) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n\n"));
        assert!(self.count >= least, "{}", self.count);
        let path = root().join("docs/bad_input.md");
        let page = fs::read_to_string(&path).unwrap();
        let head = format!("## {title}\n");
        let begin = page.find(&head).expect("the part of the page");
        let table = begin + page[begin..].find("| --- |").expect("a table");
        let table = table + page[table..].find('\n').unwrap() + 1;
        let end = page[table..].find("\n\n").map_or(page.len(), |i| table + i + 1);
        if std::env::var_os("HYBRIDREPAIR_WRITE_PAGE").is_some() {
            fs::write(&path, format!("{}{}{}", &page[..table], self.rows, &page[end..])).unwrap();
        } else {
            assert_eq!(page[table..end].trim_end(), self.rows.trim_end(), "docs/bad_input.md, {title}");
        }
    }
}

/// A grey JPEG of 8 x 8 pixels.
const JPEG: &str = "ffd8ffe000104a46494600010100000100010000ffdb0043000806060706050807070709090808\
0a0c140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc0000b080008\
000801011100ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b51000020103030204030505040400\
00017d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637\
38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6\
a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda00080101\
00003f00f7fa2803ffd9";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |p: &[u8]| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap();
    digits.chunks_exact(2).map(pair).collect()
}

#[test]
fn pictures() {
    let w = World::new();
    w.run(&["data", "sheet", "--cut-train", "40", "--columns", "1", "--rows", "1", "--output", "s.png"]).ok();
    let png = w.read("s.png");
    let jpeg = bytes(JPEG);
    let with = |at: usize, new: &[u8]| {
        let mut png = png.clone();
        png[at..at + new.len()].copy_from_slice(new);
        png
    };
    let bmp = |w: i32, h: i32| {
        let mut b = b"BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00".to_vec();
        b.extend(w.to_le_bytes());
        b.extend(h.to_le_bytes());
        b.extend(b"\x01\x00\x18\x00");
        b.resize(60, 0);
        b
    };
    let files: Vec<(&str, Vec<u8>, Case)> = vec![
        ("a.jpg", vec![], case("an empty file", 0, "is empty")),
        (
            "a.png",
            b"hello".to_vec(),
            case("text that is called a picture", 0, "is no picture in a format that is read here"),
        ),
        ("a.jpg", b"<svg xmlns='x'/>".to_vec(), case("an SVG that is called JPEG", 0, "is no picture in a format")),
        ("a.jpg", b"%PDF-1.7\n".to_vec(), case("a PDF that is called JPEG", 0, "is no picture in a format")),
        (
            "a.jpg",
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00".to_vec(),
            case("a HEIC photo that is called JPEG", 0, "is no picture in a format"),
        ),
        ("a.png", png[..8].to_vec(), case("a PNG of its signature alone", 0, "is cut short")),
        ("a.png", png[..png.len() / 2].to_vec(), case("a PNG cut in the middle", 0, "is cut short")),
        ("a.png", png[..png.len() - 20].to_vec(), case("a PNG without its end", 0, "is cut short")),
        ("a.png", with(16, &[0, 0, 0, 0]), case("a PNG of width 0", 0, "does not decode")),
        ("a.png", with(16, &[0x7f; 8]), case("a PNG with a damaged header", 0, "does not decode")),
        ("a.png", with(60, &[0xff; 8]), case("a PNG with damaged pixels", 0, "does not decode")),
        ("a.jpg", jpeg[..4].to_vec(), case("a JPEG of its first marker alone", 0, "is cut short")),
        ("a.jpg", jpeg[..jpeg.len() / 2].to_vec(), case("a JPEG cut in its tables", 0, "is cut short")),
        ("a.jpg", jpeg[..jpeg.len() - 4].to_vec(), case("a JPEG without its end", 0, "is cut short")),
        ("a.bmp", bmp(8, 8), case("a BMP with fewer pixels than it says", 0, "is cut short")),
        ("a.bmp", bmp(100_000, 100_000), case("a BMP of 10,000,000,000 pixels", 0, "does not decode")),
        (
            "a.ppm",
            b"P6\n20000 200000\n255\nabc".to_vec(),
            case("a PPM of 4,000,000,000 pixels", 0, "pixels, above the limit"),
        ),
        ("a.ppm", b"P6\n4 4\n255\nabc".to_vec(), case("a PPM with fewer pixels than it says", 0, "is cut short")),
        ("a.ppm", b"P6\n0 4\n255\n".to_vec(), case("a PPM of width 0", 0, "a.ppm")),
        ("a.ppm", b"P6\nfour 4\n255\n".to_vec(), case("a PPM whose width is no number", 0, "does not decode")),
        ("a.gif", b"GIF89a\x10\x00\x10\x00\x80\x00\x00".to_vec(), case("a GIF cut in its header", 0, "a.gif")),
        ("a.tif", b"II*\x00\x08\x00\x00\x00".to_vec(), case("a TIFF without a directory", 0, "a.tif")),
        ("a.webp", b"RIFF\x10\x00\x00\x00WEBPVP8 ".to_vec(), case("a WebP cut in its header", 0, "a.webp")),
        (
            "a.txt",
            b"notes".to_vec(),
            case(
                "a file without a picture's name",
                0,
                "not looked at, for their names are not those of pictures: 1 .txt",
            ),
        ),
    ];
    let mut checked = Checked::default();
    for (i, (name, content, case)) in files.iter().enumerate() {
        let folder = w.path(&format!("p{i}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
        checked.check(case, &w.run(&["data", "inspect", &format!("p{i}")]));
    }
    // and those that only a file system has
    let inspect = |name: &str, make: &dyn Fn(PathBuf)| {
        let folder = w.path(name);
        fs::create_dir(&folder).unwrap();
        make(folder);
        w.run(&["data", "inspect", name])
    };
    let large = |dir: PathBuf| fs::File::create(dir.join("a.jpg")).unwrap().set_len(3 << 30).unwrap();
    checked.check(&case("a file of 3 GiB that is called JPEG", 0, "above the limit"), &inspect("large", &large));
    #[cfg(unix)]
    {
        let gone = |dir: PathBuf| std::os::unix::fs::symlink("nowhere", dir.join("a.jpg")).unwrap();
        checked.check(&case("a link to a file that is gone", 0, "cannot be read"), &inspect("gone", &gone));
        let circle = |dir: PathBuf| std::os::unix::fs::symlink(&dir, dir.join("again")).unwrap();
        checked.check(
            &case("a link to the folder that it lies in", 0, "is a link to a folder above it"),
            &inspect("circle", &circle),
        );
        let pipe = |dir: PathBuf| {
            assert!(std::process::Command::new("mkfifo").arg(dir.join("a.jpg")).status().unwrap().success());
        };
        checked.check(&case("a pipe that is called JPEG", 0, "is no regular file"), &inspect("pipe", &pipe));
    }
    checked.same_as_page("Pictures", 24);
}

#[test]
fn folders() {
    let w = World::new();
    own_pictures(&w, "own");
    let mut checked = Checked::default();
    let folder = |name: &str| {
        fs::create_dir_all(w.path(name)).unwrap();
        name.to_owned()
    };
    let copy = |from: &str, to: &str| {
        fs::create_dir_all(w.path(to).parent().unwrap()).unwrap();
        fs::copy(w.path(from), w.path(to)).unwrap();
    };
    let sheet = |args: &[&str]| {
        let rest = ["data", "sheet", "--part", "field", "--output", "s.png"];
        let ran = w.run(&[&rest[..], args].concat());
        let _ = fs::remove_file(w.path("s.png"));
        ran
    };
    checked.check(&case("a folder that is not there", 4, "no such folder"), &w.run(&["data", "inspect", "nowhere"]));
    let file = "own/train/red/red-0.ppm";
    checked.check(&case("a file where a folder is asked for", 4, "no such folder"), &w.run(&["data", "inspect", file]));
    folder("empty");
    checked
        .check(&case("an empty folder, looked at", 0, "0 pictures that decode"), &w.run(&["data", "inspect", "empty"]));
    let train = ["--train", "own/train", "--field"];
    checked.check(&case("an empty folder as field pool", 4, "empty"), &sheet(&[&train[..], &["empty"]].concat()));
    checked.check(&case("a field pool that is not there", 4, "nowhere"), &sheet(&[&train[..], &["nowhere"]].concat()));
    let other = |part: &str, dir: &str| {
        sheet(
            &["--field", "own/field", "--train", if part == "--train" { dir } else { "own/train" }, part, dir]
                [..if part == "--train" { 4 } else { 6 }],
        )
    };
    checked.check(&case("an empty folder as training data", 4, "empty"), &other("--train", "empty"));
    folder("flat");
    copy(file, "flat/a.ppm");
    checked.check(&case("training data without class folders", 4, "flat"), &other("--train", "flat"));
    copy(file, "one/red/a.ppm");
    checked.check(&case("training data of one class", 4, "class"), &other("--train", "one"));
    copy(file, "strange/purple/a.ppm");
    checked.check(
        &case("a holdout with a class that training data do not have", 4, "purple"),
        &other("--holdout", "strange"),
    );
    checked.check(&case("a validation folder with such a class", 4, "purple"), &other("--val", "strange"));
    checked.check(&case("a holdout without class folders", 4, "flat"), &other("--holdout", "flat"));
    folder("broken");
    w.write("broken/a.png", "no picture");
    checked.check(
        &case("a field pool of which no file decodes", 4, "broken"),
        &sheet(&[&train[..], &["broken"]].concat()),
    );
    for entry in ["blue", "green", "red"] {
        copy(file, &format!("gap/{entry}/a.ppm"));
    }
    folder("gap/white");
    checked.check(
        &case("training data with a class without pictures", 0, "a class without pictures"),
        &other("--train", "gap"),
    );
    copy(file, "loose/a.ppm");
    for entry in ["blue", "green", "red"] {
        copy(file, &format!("loose/{entry}/a.ppm"));
    }
    checked.check(
        &case("training pictures beside the class folders", 0, "lies in no class folder"),
        &other("--train", "loose"),
    );
    let classes = |text: &[u8]| {
        w.write("classes.txt", text);
        sheet(&["--field", "own/field", "--train", "own/train", "--classes", "classes.txt"])
    };
    checked.check(&case("class names of which one stands twice", 4, "stands twice"), &classes(b"red\nred\nblue\n"));
    checked.check(&case("one class name", 4, "a classifier needs two classes"), &classes(b"red\n"));
    checked.check(&case("class names that are no UTF-8", 4, "is not UTF-8"), &classes(b"red\n\xff\n"));
    checked.check(&case("class names without one of the folders", 4, "green"), &classes(b"red\nblue\n"));
    checked.same_as_page("Folders", 18);
}

#[test]
fn label_files() {
    let w = World::with_model();
    let repair = ["repair", "-c", "repair.toml", "--annotator", "people", "--budget", "5", "--replay-epochs", "0"];
    assert_eq!(w.run(&[&repair[..], &["--quiet", "--output-dir", "run"]].concat()).code, 3);
    let id = w.read_json("run/tasks/asked.json")["images"][0]["id"].to_string();
    let mut checked = Checked::default();
    let before = w.read("run/ledger.jsonl");
    let mut import = |name: &str, text: &[u8], c: Case| {
        w.write(name, text);
        checked.check(&c, &w.run(&["label", "import", "run", name]));
    };
    let table = |line: &str| format!("id,label\n{line}\n").replace("ID", &id).into_bytes();
    import("a.csv", b"", case("an empty table", 4, "no column \"id\""));
    import("a.csv", b"id\n1\n", case("a table without labels", 4, "no column \"label\""));
    import("a.csv", b"label\nstop\n", case("a table without ids and files", 4, "no column \"id\""));
    import("a.csv", &table("x,stop"), case("an id that is no number", 4, "line 2: id \"x\""));
    import("a.csv", &table("-1,stop"), case("an id below 0", 4, "line 2: id \"-1\""));
    import("a.csv", &table("99999999999999999999,stop"), case("an id above all numbers", 4, "line 2: id"));
    import("a.csv", &table(",stop"), case("a row that names no picture", 4, "neither id nor file"));
    import("a.csv", &table("ID,sotp"), case("a class that there is not", 4, "sotp"));
    import("a.csv", &table("ID,99"), case("a class number that there is not", 4, "99"));
    import("a.csv", &table("ID,stop,3,4"), case("a row with more columns than the header", 4, "line 2"));
    import("a.csv", &b"id,label\n1,\xff\n"[..], case("a table that is no UTF-8", 4, "is not UTF-8"));
    let seconds = |s: &str| format!("id,label,seconds\n{id},stop,{s}\n").into_bytes();
    import("a.csv", &seconds("soon"), case("seconds that are no number", 4, "seconds \"soon\""));
    import("a.csv", &seconds("-3"), case("seconds below 0", 4, "seconds -3 is impossible"));
    import("a.csv", &seconds("inf"), case("endless seconds", 4, "is impossible"));
    import("a.jsonl", b"{\"id\":1", case("JSON lines cut short", 4, "line 1"));
    import("a.jsonl", b"{\"label\":\"stop\"}\n", case("a JSON line that names no picture", 4, "neither id nor file"));
    import("a.jsonl", b"{\"id\":1,\"label\":[2]}\n", case("a label that is a list", 4, "line 1"));
    import("a.json", b"[", case("an export of Label Studio cut short", 4, "a.json"));
    import("a.json", b"{}", case("JSON that is no export", 4, "a.json"));
    import("a.xml", b"<annotations><image", case("an export of CVAT cut short", 4, "a.xml"));
    import("a.xml", b"<html></html>", case("XML that is no export of CVAT", 4, "a.xml"));
    import("a.zip", b"PK\x03\x04", case("an archive cut short", 4, "a.zip"));
    import("a.txt", b"1 stop\n", case("a file of an unknown kind", 4, "a.txt"));
    import("a.csv", &table("ID,"), case("a picture without an answer", 0, "took 0 answers"));
    import("a.csv", &table("999999,stop"), case("a picture that nobody asked about", 0, "did not ask about"));
    checked.check(&case("a file that is not there", 4, "none.csv"), &w.run(&["label", "import", "run", "none.csv"]));
    fs::create_dir(w.path("d.csv")).unwrap();
    checked.check(
        &case("a folder in place of a file", 4, "is no regular file"),
        &w.run(&["label", "import", "run", "d.csv"]),
    );
    w.write("a.csv", table("ID,stop"));
    checked.check(&case("a folder that is no run", 2, "empty"), &w.run(&["label", "import", "empty", "a.csv"]));
    assert_eq!(w.read("run/ledger.jsonl"), before, "nothing of them was taken");
    checked.same_as_page("Files of labels", 27);
}

#[test]
fn checkpoints() {
    let w = World::new();
    own_pictures(&w, "own");
    let data = ["--train", "own/train", "--field", "own/field", "--holdout", "own/holdout"];
    let train =
        ["train", "--model", "mobilenet", "--width", "0.1", "--epochs", "1", "--batch-size", "16", "--threads", "1"];
    w.run(&[&train[..], &data, &["--output-dir", "model", "--quiet"]].concat()).ok();
    let good = w.read("model/checkpoints/best.safetensors");
    let mut checked = Checked::default();
    let evaluate = |kind: &str, file: &str| w.run(&[&["evaluate", kind, file], &data[..]].concat());
    let mut given = |kind: &str, name: &str, content: &[u8], c: Case| {
        w.write(name, content);
        checked.check(&c, &evaluate(kind, name));
    };
    let header = |json: &str| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
    given("--checkpoint", "a.safetensors", b"", case("an empty checkpoint", 4, "a.safetensors"));
    given(
        "--checkpoint",
        "a.safetensors",
        b"no checkpoint",
        case("text that is called a checkpoint", 4, "a.safetensors"),
    );
    given(
        "--checkpoint",
        "a.safetensors",
        &good[..good.len() / 2],
        case("a checkpoint cut in the middle", 4, "a.safetensors"),
    );
    given(
        "--checkpoint",
        "a.safetensors",
        &good[..good.len() - 1],
        case("a checkpoint without its last byte", 4, "a.safetensors"),
    );
    given(
        "--checkpoint",
        "a.safetensors",
        &[&good[..], b"x"].concat(),
        case("a checkpoint with a byte too many", 4, "a.safetensors"),
    );
    given("--checkpoint", "a.safetensors", &[0xff; 64], case("a header longer than any file", 4, "a.safetensors"));
    given(
        "--checkpoint",
        "a.safetensors",
        &header("{}"),
        case("a checkpoint without tensors and metadata", 4, "belong to none of"),
    );
    let overlap = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}}"#;
    given(
        "--checkpoint",
        "a.safetensors",
        &header(overlap),
        case("tensors beyond the end of the file", 4, "a.safetensors"),
    );
    let text = String::from_utf8_lossy(&good[8..4000]).into_owned();
    assert!(text.contains("mobilenet"));
    let other = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = good.windows(from.len()).position(|w| w == from.as_bytes()).expect(from);
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    given(
        "--checkpoint",
        "a.safetensors",
        &other("mobilenet", "mobilenot"),
        case("metadata of an unknown architecture", 4, "a.safetensors"),
    );
    given(
        "--checkpoint",
        "a.safetensors",
        &other("linear.weight", "linear.weights"[..13].replace("weight", "heavy_").as_str()),
        case("a tensor under another name", 4, "is missing"),
    );
    given("--checkpoint", "a.pth", b"PK\x03\x04junk", case("an archive of torch.save cut short", 4, "a.pth"));
    given("--checkpoint", "a.pth", b"\x80\x02}q\x00.", case("a pickle without tensors", 4, "a.pth"));
    given(
        "--checkpoint",
        "a.pth",
        b"\x80\x02cos\nsystem\nq\x00.",
        case("a pickle that would run a program", 4, "a.pth"),
    );
    given("--torchscript", "a.pt", b"", case("an empty TorchScript file", 4, "no TorchScript module"));
    given("--torchscript", "a.pt", b"no module", case("text that is called TorchScript", 4, "no TorchScript module"));
    given("--torchscript", "a.pt", &good, case("a checkpoint given as TorchScript", 4, "no TorchScript module"));
    let fixture = |name: &str| root().join("crates/torch/tests/fixtures").join(name).to_string_lossy().into_owned();
    let script = fs::read(fixture("logits.pt")).unwrap();
    given(
        "--torchscript",
        "a.pt",
        &script[..script.len() / 2],
        case("a TorchScript file cut in the middle", 4, "no TorchScript module"),
    );
    given("--checkpoint", "a.pth", &script, case("a TorchScript file given as checkpoint", 4, "a.pth"));
    checked.check(
        &case("a module of another number of classes", 4, "classes"),
        &evaluate("--torchscript", &fixture("logits.pt")),
    );
    checked
        .check(&case("a module that gives no logits", 4, "wrong.pt"), &evaluate("--torchscript", &fixture("wrong.pt")));
    checked
        .check(&case("a file that is not there", 4, "none.safetensors"), &evaluate("--checkpoint", "none.safetensors"));
    checked.check(&case("a folder in place of a checkpoint", 4, "own"), &evaluate("--checkpoint", "own"));
    let repair = |file: &str| {
        let args =
            ["repair", "--budget", "6", "--batch-size", "8", "--quiet", "--output-dir", "r/run", "--torchscript", file];
        w.run(&[&args[..], &data].concat())
    };
    checked.check(&case("a traced module, to be repaired", 4, "traced.pt"), &repair(&fixture("traced.pt")));
    checked.check(&case("a frozen module, to be repaired", 4, "frozen.pt"), &repair(&fixture("frozen.pt")));
    assert!(!w.path("r/run").exists(), "no folder is left behind");
    checked.same_as_page("Models", 23);
}
