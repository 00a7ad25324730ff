//! Tells the worker where the libtorch lies that it is built against, so that it runs without `LD_LIBRARY_PATH`
//! (which still goes first when it is set: that is how a machine with a GPU brings its own libtorch).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_TORCH").is_some()
        && let Ok(libtorch) = std::env::var("LIBTORCH")
    {
        println!("cargo:rustc-link-arg-bin=hybridrepair-worker=-Wl,-rpath,{libtorch}/lib");
    }
}
