//! Given the past, when a command comes, then these events or this refusal; and the queue, the
//! intake and the pages from outside.

mod intake;
mod pages;
mod queue;
mod rotation;
mod routes;
mod rules;
