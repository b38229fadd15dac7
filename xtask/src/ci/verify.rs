//! The wheels of all jobs, checked together.
