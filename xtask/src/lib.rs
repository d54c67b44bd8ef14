//! The checks that tests want too: conformance law 9 runs [`tidy::check`].

#![allow(clippy::print_stdout, reason = "it talks to a person at a terminal")]

pub mod tidy;
