//! Compiles the one C++ function that tch lacks, against the libtorch that torch-sys found.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=cpp/buffers.cpp");
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");
    // documentation is built without libtorch
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    let lib = PathBuf::from(env::var_os("DEP_TCH_LIBTORCH_LIB").expect("torch-sys tells where libtorch lies"));
    let include = lib.parent().expect("lib/ lies in libtorch's directory").join("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    cc::Build::new()
        .cpp(true)
        .pic(true)
        .warnings(false)
        .std("c++17")
        .include(include.join("torch/csrc/api/include"))
        .include(include)
        .flag(format!("-D_GLIBCXX_USE_CXX11_ABI={abi}"))
        .file("cpp/buffers.cpp")
        .compile("hybridrepair_buffers");
}
