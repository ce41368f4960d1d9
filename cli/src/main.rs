//! The `meshplan` binary.

fn main() {}
