//! The workspace as `cargo metadata` sees it.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Members and where they lie.
pub struct Workspace {
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    pub members: Vec<Member>,
}

/// One package of the workspace.
pub struct Member {
    pub name: String,
    pub folder: PathBuf,
    /// Whether a plain `cargo test` takes it: it builds without libtorch.
    pub default: bool,
    pub dependencies: Vec<Dependency>,
    pub examples: Vec<Example>,
}

/// One line of a `[dependencies]` table.
pub struct Dependency {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Normal,
    Dev,
    Build,
}

/// One example with the features that it asks for.
pub struct Example {
    pub name: String,
    pub features: Vec<String>,
}

/// All crates with libtorch. The tests of the tool wait until it is built as a user builds it.
pub const WITH_TORCH: [&str; 5] =
    ["--workspace", "--exclude", "hybridrepair-tests", "--features", "hybridrepair-cli/torch"];

/// The cargo that runs this program, in the surroundings that a person would start it in: `cargo run` names this package in
/// its environment, and a dependency whose build script looks at that name would be built again, with all that stands on it.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let own = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in std::env::vars_os() {
        if own.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

impl Workspace {
    pub fn load() -> Result<Self, String> {
        let out = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .map_err(|why| format!("cargo metadata did not start: {why}"))?;
        if !out.status.success() {
            return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&out.stderr)));
        }
        let value: Value = serde_json::from_slice(&out.stdout).map_err(|why| format!("cargo metadata: {why}"))?;
        let default = list(&value["workspace_default_members"]).map(text).collect::<Vec<_>>();
        let members = list(&value["packages"]).map(|p| Member::of(p, default.contains(&text(&p["id"])))).collect();
        let path = |key: &str| PathBuf::from(text(&value[key]));
        Ok(Self { root: path("workspace_root"), target: path("target_directory"), members })
    }

    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.name == name)
    }

    /// A path as people write it, from the root.
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

impl Member {
    fn of(package: &Value, default: bool) -> Self {
        let dependencies = list(&package["dependencies"])
            .map(|d| Dependency {
                name: text(&d["name"]),
                kind: match d["kind"].as_str() {
                    Some("dev") => Kind::Dev,
                    Some("build") => Kind::Build,
                    _ => Kind::Normal,
                },
            })
            .collect();
        let examples = list(&package["targets"])
            .filter(|t| list(&t["kind"]).any(|k| k == "example"))
            .map(|t| Example { name: text(&t["name"]), features: list(&t["required-features"]).map(text).collect() })
            .collect();
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let folder = manifest.parent().map(Path::to_owned).unwrap_or_default();
        Self { name: text(&package["name"]), folder, default, dependencies, examples }
    }

    /// All Rust files below `src`, `tests`, `benches` and `examples`, sorted.
    pub fn rust_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in ["src", "tests", "benches", "examples"] {
            walk(&self.folder.join(folder), &mut files);
        }
        files.sort();
        files
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()) {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
