//! The logbook slice.
