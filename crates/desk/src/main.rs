//! The program `firelane`.

fn main() {}
