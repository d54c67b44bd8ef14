//! The slice against real stores in temporary folders.

mod lab;
mod outsider;
mod pages;
mod reading;
