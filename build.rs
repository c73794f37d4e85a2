//! Embeds `models/` anew when a file is added to it.

fn main() {
    println!("cargo::rerun-if-changed=models");
}
