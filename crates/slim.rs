//! Takes comments and indentation out of the scripts that phones fetch: page weight is capacity, and
//! the sources stay readable. No bundler: only lines that are nothing but a comment go.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    for name in ["qr.js", "show.js", "sw.js"] {
        let source = Path::new("assets").join(name);
        println!("cargo::rerun-if-changed={}", source.display());
        let text = fs::read_to_string(&source)?;
        let lines = text.lines().map(str::trim);
        let kept: Vec<&str> = lines.filter(|it| !it.is_empty() && !it.starts_with("//")).collect();
        fs::write(Path::new(&out).join(name), kept.join("\n"))?;
    }
    Ok(())
}
