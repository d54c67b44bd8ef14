//! The person slice.
