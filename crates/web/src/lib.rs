//! Everything HTTP: App, Actor, Problem, forms, sessions, texts, layout.
