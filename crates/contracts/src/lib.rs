//! What slices tell each other: published events and shared words, one file per slice.
//!
//! A slice never depends on a slice; it publishes here and reacts to what is published here.

#![deny(missing_docs)]

pub mod code;
pub mod gate;
pub mod pass;
pub mod person;
pub mod trace;

/// Something a slice wants the others to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// From `person`.
    Person(person::Published),
    /// From `code`.
    Code(code::Published),
    /// From `gate`.
    Gate(gate::Published),
}
