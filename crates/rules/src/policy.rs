//! Rule sets that ship with the program, as files that anybody can read, copy and change.

/// A rule set by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// The name of its file without the ending.
    pub name: &'static str,
    /// The country under which its rules are selected.
    pub country: &'static str,
    /// An array of rules as published.
    pub json: &'static str,
}

/// Every rule set that ships; what each renders, and from which sources, says `policy/README.md`.
pub const SHIPPED: [Shipped; 2] = [
    Shipped {
        name: "kr-pass-2022-01",
        country: "KR",
        json: include_str!("../policy/kr-pass-2022-01.json"),
    },
    Shipped {
        name: "eu-entry-2022",
        country: "EU",
        json: include_str!("../policy/eu-entry-2022.json"),
    },
];
