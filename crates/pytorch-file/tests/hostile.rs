//! Files made to do harm: an answer comes, soon, and memory stays within a small multiple of the file.
#![allow(clippy::unwrap_used)]
#![allow(unsafe_code, reason = "an allocator that counts")]

use hybridrepair_pytorch_file::{CheckpointFile, Value, fuzz_one};
use proptest::prelude::*;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fs,
    path::Path,
    sync::LazyLock,
};

/// Counts what each thread holds, so that tests beside each other do not disturb the count.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static MOST: Cell<i64> = const { Cell::new(0) };
}

fn count(change: i64) {
    // a thread that is being taken down has no counters any more
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator as it is
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most memory that `work` holds at a time beyond what was there before.
fn most(work: impl FnOnce()) -> i64 {
    let before = HELD.get();
    MOST.set(before);
    work();
    MOST.get() - before
}

/// What any file may cost: read-ahead, tables and 1 MiB for tiny expanded views beside a multiple of its length.
fn allowed(bytes: usize) -> i64 {
    (100 * bytes as i64) + (3 << 20)
}

fn check(bytes: &[u8]) {
    let held = most(|| fuzz_one(bytes));
    assert!(held <= allowed(bytes.len()), "{held} bytes held for a file of {}", bytes.len());
}

static FIXTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    paths.sort();
    paths.retain(|path| !["py", "txt"].iter().any(|ending| path.extension().is_some_and(|e| e == *ending)));
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
});

/// A file of the old format around a pickle (protocol and end are added), without storages.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";
    let version = b"\x80\x02M\xe9\x03.";
    [magic, &version[..], b"\x80\x02}.", b"\x80\x04", pickle, b".", b"\x80\x02]."].concat()
}

fn refused(pickle: &[u8]) -> String {
    let bytes = legacy(pickle);
    check(&bytes);
    match CheckpointFile::from_bytes(bytes) {
        Err(error) => error.to_string(),
        Ok(file) => file.state_dict().unwrap_err().to_string(),
    }
}

#[test]
fn nothing_is_run() {
    let canary = std::env::temp_dir().join(format!("pytorch-file-canary-{}", std::process::id()));
    let command = format!("touch {}", canary.display());
    let text = [b"X", &(command.len() as u32).to_le_bytes()[..], command.as_bytes()].concat();
    for head in [&b"cposix\nsystem\n"[..], b"cos\nsystem\n", b"cbuiltins\neval\n", b"csubprocess\nPopen\n"] {
        let pickle = [head, &text, b"\x85R"].concat();
        let file = CheckpointFile::from_bytes(legacy(&pickle)).unwrap();
        assert!(matches!(file.root(), Value::Object(_)));
        assert!(file.state_dict().unwrap_err().to_string().contains("whole pickled object"));
    }
    assert!(!canary.exists());
    let file = CheckpointFile::from_bytes(legacy(b"\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R")).unwrap();
    assert!(file.state_dict().unwrap_err().to_string().contains("of class os.system"));
}

#[test]
fn a_billion_laughs_cost_what_the_file_costs() {
    // lists of ten lists of ten lists ..., 100,000 levels
    let mut pickle = b"]\x94".to_vec();
    for level in 0..100_000u32 {
        pickle.extend(b"0](");
        for _ in 0..10 {
            pickle.push(b'j');
            pickle.extend(level.to_le_bytes());
        }
        pickle.extend(b"e\x94");
    }
    assert!(refused(&pickle).contains("the file holds a list of 10"));
    // dicts of dicts, where a state dict is looked for
    let mut pickle = b"}\x94".to_vec();
    for level in 0..2000u32 {
        pickle.extend(b"0}(");
        for key in 0..100u8 {
            pickle.extend([0x8c, 1, b' ' + key % 90, b'j']);
            pickle.extend(level.to_le_bytes());
        }
        pickle.extend(b"u\x94");
    }
    assert!(refused(&pickle).contains("no state dict found"));
}

#[test]
fn deep_and_circular_structures_are_harmless() {
    let deep = [vec![b']'; 1_000_000], vec![b'a'; 999_999]].concat();
    assert!(refused(&deep).contains("list of 1") || refused(&deep).contains("more Python objects"));
    let deep = [b"}".to_vec(), b"\x8c\x01a}".repeat(50_000), b"s".repeat(50_000)].concat();
    assert!(refused(&deep).contains("no state dict found"));
    // a dict that holds itself, a list that holds itself
    assert!(refused(b"}\x94\x8c\x01ah\x00s").contains("no state dict found"));
    assert!(refused(b"]\x94h\x00a").contains("a list of 1"));
    // an object that is its own class and state
    assert!(refused(b"cx\ny\n)R\x94h\x00b").contains("whole pickled object"));
    assert!(refused(b"cx\ny\n)R)R)R").contains("whole pickled object"));
}

#[test]
fn more_objects_than_bytes_warrant_are_refused() {
    // the dearest byte there is: a list of its own, just within bounds
    assert!(refused(&b"]".repeat(1_000_000)).contains("a list of 0"));
    // one long text, one long list, and copies of them without end
    let text = [&b"X\x40\x42\x0f\x00"[..], &b"a".repeat(1_000_000), b"\x940"].concat();
    let copies = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R0".repeat(10_000);
    assert!(refused(&[&text[..], &copies].concat()).contains("more Python objects"));
    let list = [&b"]\x94("[..], &b"N".repeat(1_000_000), b"e0"].concat();
    for class in [&b"cbuiltins\nset\n"[..], b"cbuiltins\nfrozenset\n"] {
        let copies = [class, b"h\x00\x85R0"].concat().repeat(10_000);
        assert!(refused(&[&list[..], &copies].concat()).contains("more Python objects"));
    }
    let pairs = [&b"NN\x86\x940]\x94("[..], &b"h\x00".repeat(1_000_000), b"e0"].concat();
    let copies = b"ccollections\nOrderedDict\nh\x01\x85R0".repeat(10_000);
    assert!(refused(&[&pairs[..], &copies].concat()).contains("more Python objects"));
    // tuples cut from a stack that was once large
    let tuples = [vec![b'('], vec![b'N'; 1_000_000], vec![b'1'], b"(Nt0".repeat(20_000), vec![b'N']].concat();
    assert!(refused(&tuples).contains("the file holds None"));
}

#[test]
fn absurd_lengths_are_refused_before_memory_is_taken() {
    for pickle in [
        &b"X\xff\xff\xff\xff"[..],
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"B\xff\xff\xff\xff",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x96\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x8b\xff\xff\xff\xff",
        b"T\xff\xff\xff\xff",
    ] {
        assert!(refused(pickle).contains("cut short or damaged"));
    }
    assert!(refused(&[b"c".to_vec(), vec![b'a'; 2000]].concat()).contains("a name of more than"));
}

#[test]
fn nonsense_is_refused_in_words() {
    for (pickle, why) in [
        (&b"R"[..], "needs an object where there is none"),
        (b"NR", "needs an object"),
        (b"NNR", "arguments are no tuple"),
        (b"t", "needs a mark"),
        (b"N(\x85", "needs an object"),
        (b"h\x07", "refers to object 7"),
        (b"Na", "needs an object"),
        (b"NNa", "appends to what is no list"),
        (b"NNNs", "sets an item of what is no dict"),
        (b"}(Nu", "a key and no value"),
        (b"NN\x93", "a class whose name is no text"),
        (b"X\x01\x00\x00\x00\xff", "not UTF-8"),
        (b"NQ", "no storage"),
        (b"\x97", "instruction 0x97"),
        (b"I1\n", "instruction 0x49 (I)"),
        (b"i", "instruction 0x69"),
        (b"\x82\x01", "instruction 0x82"),
    ] {
        let error = refused(pickle);
        assert!(error.contains(why), "{}: {error}", pickle.escape_ascii());
    }
}

/// A tensor `w` over a storage of so many floats (which the file has, up to 4096), with these pickled arguments.
fn tensor(numel: &[u8], rest: &[u8]) -> Vec<u8> {
    let head =
        b"}\x8c\x01wctorch._utils\n_rebuild_tensor_v2\n((\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpu";
    let pickle = [head, numel, b"tQ", rest, b"tRs"].concat();
    let mut bytes = legacy(&pickle);
    bytes.truncate(bytes.len() - 4);
    bytes.extend(b"\x80\x02]\x8c\x010a.");
    let n = i64::from_le_bytes(std::array::from_fn(|i| numel.get(i + 1).copied().unwrap_or(0)));
    bytes.extend(n.to_le_bytes());
    bytes.extend(vec![0; 4 * n.clamp(0, 4096) as usize]);
    bytes
}

#[test]
fn views_must_lie_in_their_storage_and_it_in_the_file() {
    let read = |bytes: Vec<u8>| {
        check(&bytes);
        CheckpointFile::from_bytes(bytes).and_then(|file| file.state_dict()).map_err(|e| e.to_string())
    };
    // offset, shape, strides
    assert_eq!(read(tensor(b"K\x06", b"K\x00K\x06\x85K\x01\x85\x89}")).unwrap()[0].shape, [6]);
    assert_eq!(read(tensor(b"K\x06", b"K\x05K\x01\x85K\x07\x85\x89}")).unwrap()[0].shape, [1]);
    for rest in [
        &b"K\x00K\x07\x85K\x01\x85\x89}"[..],
        b"K\x01K\x06\x85K\x01\x85\x89}",
        b"K\x06K\x01\x85K\x01\x85\x89}",
        b"K\x00K\x02\x85K\x06\x85\x89}",
        b"K\x00K\x02\x85\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85\x89}",
        b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x02\x85K\x01\x85\x89}",
        b"K\x00\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x86K\x00K\x00\x86\x89}",
    ] {
        assert!(read(tensor(b"K\x06", rest)).unwrap_err().contains("reaches beyond its storage"));
    }
    // the stride of an axis of one element does not matter
    let any_stride = b"K\x00K\x01K\x02\x86\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x02\x86\x89}";
    assert_eq!(read(tensor(b"K\x06", any_stride)).unwrap()[0].shape, [1, 2]);
    // a single element as 2^62 of them, and as 2^32
    for shape in [&b"\x8a\x08\0\0\0\0\0\0\0\x40"[..], b"\x8a\x05\0\0\0\0\x01"] {
        let rest = [b"K\x00", shape, b"\x85K\x00\x85\x89}"].concat();
        assert!(read(tensor(b"K\x06", &rest)).unwrap_err().contains("many times larger than the file"));
    }
    assert!(read(tensor(b"K\x06", b"J\xff\xff\xff\xffK\x01\x85K\x01\x85\x89}")).unwrap_err().contains("whole numbers"));
    assert!(read(tensor(b"K\x06", b"K\x00K\x01\x85)\x89}")).unwrap_err().contains("strides"));
    assert!(
        read(tensor(b"J\xff\xff\xff\x7f", b"K\x00K\x01\x85K\x01\x85\x89}")).unwrap_err().contains("ends beyond it")
    );
    assert!(read(tensor(b"J\xff\xff\xff\xff", b"K\x00K\x01\x85K\x01\x85\x89}")).unwrap_err().contains("without key"));
    // negated numbers are not taken for the stored ones
    let negated = read(tensor(b"K\x06", b"K\x00K\x06\x85K\x01\x85\x89}}\x8c\x03neg\x88s"));
    assert!(negated.unwrap_err().contains("; 'w' is an object of torch._utils._rebuild_tensor_v2"));
}

#[test]
fn many_views_of_one_storage_do_not_multiply_without_end() {
    let view = b"h\x00(h\x01K\x00M\x00\x10\x85K\x01\x85\x89}tR";
    let head = b"ctorch._utils\n_rebuild_tensor_v2\n\x94(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuM\x00\x10tQ\x94}(";
    let mut pickle = head.to_vec();
    for i in 0..5000u32 {
        pickle.extend([b'X', 4, 0, 0, 0]);
        pickle.extend(format!("{i:04}").as_bytes());
        pickle.extend(view);
    }
    let mut bytes = legacy(&[&pickle[..], b"u"].concat());
    bytes.truncate(bytes.len() - 4);
    bytes.extend(b"\x80\x02]\x8c\x010a.");
    bytes.extend(4096i64.to_le_bytes());
    bytes.extend([0; 4 * 4096]);
    check(&bytes);
    let error = CheckpointFile::from_bytes(bytes).unwrap().state_dict().unwrap_err().to_string();
    assert!(error.contains("many times larger than the file"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn changed_files_get_an_answer(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = which.get(&FIXTURES).clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(&bytes);
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), pickle in any::<bool>()) {
        check(&if pickle { legacy(&bytes) } else { bytes });
    }

    #[test]
    fn any_instructions_get_an_answer(
        opcodes in prop::collection::vec(prop::sample::select(OPCODES.to_vec()), 0..60),
    ) {
        check(&legacy(&opcodes.concat()));
    }
}

/// Pieces of pickles that fit together more often than bytes do.
const OPCODES: &[&[u8]] = &[
    b"(",
    b"0",
    b"1",
    b"2",
    b"N",
    b"\x88",
    b"K\x01",
    b"K\x06",
    b"J\xff\xff\xff\xff",
    b"G\0\0\0\0\0\0\0\0",
    b"\x8a\x01\x80",
    b"\x8c\x01a",
    b"\x8c\x07storage",
    b"C\x02ab",
    b"]",
    b"}",
    b")",
    b"\x8f",
    b"\x85",
    b"\x86",
    b"\x87",
    b"t",
    b"\x91",
    b"a",
    b"e",
    b"\x90",
    b"s",
    b"u",
    b"\x94",
    b"h\x00",
    b"h\x01",
    b"h\x02",
    b"R",
    b"\x81",
    b"\x92",
    b"b",
    b"Q",
    b"\x93",
    b"ccollections\nOrderedDict\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch._utils\n_rebuild_parameter\n",
    b"ctorch\nFloatStorage\n",
    b"ctorch\nSize\n",
    b"ctorch\ndevice\n",
    b"cnumpy\ndtype\n",
    b"cbuiltins\nset\n",
    b"cnumpy.core.multiarray\nscalar\n",
    b"c_codecs\nencode\n",
    b"cos\nsystem\n",
    b"ctorch\nfloat32\n",
];
