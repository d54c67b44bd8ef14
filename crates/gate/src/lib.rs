//! The gate slice.
