//! The workflow file.
