//! The haetae command.
fn main() {}
