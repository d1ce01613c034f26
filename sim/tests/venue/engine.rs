//! Matching, and what is published of it.
