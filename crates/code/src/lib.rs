//! The code slice.
