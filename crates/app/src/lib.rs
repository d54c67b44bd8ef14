//! The house put together: slices, router, jobs, configuration.
