//! A seeded, deterministic city that drives the real app.
